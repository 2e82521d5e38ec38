import accounts.validators
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80, validators=[accounts.validators.validate_display_name], verbose_name='name')),
                ('slug', models.SlugField(unique=True)),
                ('external_id', models.CharField(blank=True, editable=False, help_text='What the product beside the portal calls it; empty: a person created it here.', max_length=100, null=True, unique=True, verbose_name='external id')),
                ('edition_code', models.CharField(choices=[('business-critical', 'Business Critical'), ('enterprise', 'Enterprise'), ('enterprise-growth', 'Enterprise Growth'), ('team-growth', 'Team Growth'), ('team-pro', 'Team Pro')], max_length=30, verbose_name='edition')),
                ('seats', models.PositiveIntegerField(blank=True, help_text='On the per-seat editions: how many are bought.', null=True, verbose_name='seats')),
                ('managers_manage_managers', models.BooleanField(default=False, verbose_name='billing managers may manage billing managers')),
                ('invitation_max_age_days', models.PositiveSmallIntegerField(blank=True, help_text='In days; empty: never.', null=True, verbose_name='invitations expire after')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('closes_after', models.DateField(editable=False, help_text='The last day, in UTC, on which an admin can undo the closing; empty: it stays.', null=True, verbose_name='closes after')),
                ('closed_at', models.DateTimeField(editable=False, help_text='Since then it belongs to nobody.', null=True, verbose_name='closed')),
                ('usage_budget', models.PositiveBigIntegerField(editable=False, help_text='For the credits on demand of a period, in cents of US dollars; empty: none.', null=True, verbose_name='budget')),
                ('usage_stops', models.BooleanField(default=False, editable=False, help_text='Whether the product is to stop at 100% of the budget, or without one of the credits.', verbose_name='stops at its limit')),
                ('usage_stopped_at', models.DateTimeField(editable=False, help_text='Since then the product is to stop.', null=True, verbose_name='stopped')),
                ('usage_reached', models.PositiveSmallIntegerField(default=0, editable=False, verbose_name='threshold reached')),
                ('usage_reached_of', models.CharField(blank=True, choices=[('credits', 'credits'), ('budget', 'budget')], editable=False, max_length=10, verbose_name='of which limit')),
                ('access_mail_at', models.DateTimeField(editable=False, help_text='When the admins got the last one, or get the next one.', null=True, verbose_name='mail about access requests')),
            ],
            options={
                'verbose_name': 'organization',
                'verbose_name_plural': 'organizations',
                'indexes': [models.Index(condition=models.Q(('closed_at', None), ('closes_after__isnull', False)), fields=['closes_after'], name='organization_closing')],
                'constraints': [models.CheckConstraint(condition=models.Q(('closed_at', None), ('closes_after__isnull', False), _connector='OR'), name='organization_closing_before_closed'), models.CheckConstraint(condition=models.Q(('usage_budget__gt', 0)), name='organization_budget_of_some'), models.CheckConstraint(condition=models.Q(('usage_stopped_at', None), ('usage_stops', True), _connector='OR'), name='organization_stops_if_it_is_to'), models.CheckConstraint(condition=models.Q(models.Q(('usage_reached', 0), ('usage_reached_of', '')), models.Q(('usage_reached__gt', 0), ('usage_reached_of__in', ['credits', 'budget'])), _connector='OR'), name='organization_reached_a_limit')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('member', 'Member'), ('billing_manager', 'Billing manager'), ('billing_viewer', 'Billing manager, view only')], max_length=20, verbose_name='role')),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('last_day', models.DateField(blank=True, help_text='Of a billing manager for a time, in UTC; empty: for good.', null=True, verbose_name='last day')),
                ('dismissed', models.JSONField(default=list, editable=False, help_text='Codes of the hints on pages that the person needs no more.')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='orgs.organization')),
            ],
            options={
                'verbose_name': 'membership',
                'verbose_name_plural': 'memberships',
            },
        ),
        migrations.CreateModel(
            name='AccessRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('permission', models.CharField(max_length=60)),
                ('asked_at', models.DateTimeField()),
                ('mail_at', models.DateTimeField()),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access_requests', to='orgs.membership')),
            ],
            options={
                'verbose_name': 'access request',
                'verbose_name_plural': 'access requests',
                'ordering': ['asked_at', 'id'],
                'constraints': [models.UniqueConstraint(fields=('membership', 'permission'), name='accessrequest_once')],
            },
        ),
        migrations.AddIndex(
            model_name='organization',
            index=models.Index(fields=['created_at', 'id'], name='organization_created'),
        ),
        migrations.AddIndex(
            model_name='organization',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('name'), name='gin_trgm_ops'), name='organization_name_parts'),
        ),
        migrations.AddIndex(
            model_name='membership',
            index=models.Index(condition=models.Q(('last_day__isnull', False)), fields=['last_day'], name='membership_last_day'),
        ),
        migrations.AddIndex(
            model_name='membership',
            index=models.Index(fields=['organization', 'role'], name='membership_org_role'),
        ),
        migrations.AddIndex(
            model_name='membership',
            index=models.Index(fields=['organization', 'joined_at', 'id'], name='membership_org_joined'),
        ),
        migrations.AddIndex(
            model_name='membership',
            index=models.Index(fields=['user', 'joined_at', 'id'], name='membership_user_joined'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(fields=('organization', 'user'), name='membership_one_per_person'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['admin', 'member', 'billing_manager', 'billing_viewer'])), name='membership_role_known'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('last_day', None), ('role__in', ['billing_manager', 'billing_viewer']), _connector='OR'), name='membership_last_day_role'),
        ),
    ]
