"""Access tokens: made by people for programs, which then act in their name or in the organization's."""
