"""The page of an act: GET asks, POST does it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.vary import vary_on_headers

from accounts.access import GatedView
from orgs.errors import Refused
from support.access import AdminRequest, staff_may
from support.acts.base import StaffAct
from support.models import StaffSession


def act_view(act: StaffAct[Any]) -> GatedView:
    @staff_may(GET=act.permission, POST=act.permission)
    @vary_on_headers("HX-Request")
    def view(request: AdminRequest, key: str) -> HttpResponse:
        target = act.find(key)
        session = request.staff.session
        initial = {
            "ticket": session.ticket,
            "reason": session.reason,
            "shown": act.shown(target),
            **act.initial(target),
        }
        form = act.form_class(request.POST if request.method == "POST" else None, initial=initial)
        if not form.is_valid():
            page = {
                "act": act,
                "form": form,
                "question": act.question(target),
                "obstacles": act.obstacles(target),
                "consequences": act.consequences(target),
                "cancel_url": act.back(target),
            }
            return render(request, "support/act.html", page, status=422 if form.errors else 200)
        try:
            said = act.run(request.staff, target, form.cleaned_data)
        except Refused as refused:
            messages.error(request, str(refused.message))
            return HttpResponseRedirect(act.back(target))
        except StaffSession.DoesNotExist:
            raise
        except ObjectDoesNotExist:
            messages.error(request, _("Somebody removed this meanwhile. Nothing was done."))
            return HttpResponseRedirect(act.back(target))
        messages.success(request, str(said))
        return act.answer(request, target)

    return view
