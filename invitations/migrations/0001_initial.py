import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('orgs', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('mail', 'Mail'), ('link', 'Link')], max_length=10, verbose_name='kind')),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('member', 'Member'), ('billing_manager', 'Billing manager'), ('billing_viewer', 'Billing manager, view only')], max_length=20, verbose_name='role')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('generation', models.PositiveIntegerField(default=1, verbose_name='generation')),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('revoked', 'Revoked'), ('expired', 'Expired')], default='pending', max_length=10, verbose_name='state')),
                ('invited_by_name', models.CharField(max_length=254, verbose_name="inviter's name")),
                ('of_no_person', models.BooleanField(default=False, help_text='Sent by the product beside the portal, or by support staff.', verbose_name="on no person's right")),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('sent_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='sent')),
                ('last_day', models.DateField(blank=True, help_text='Of a billing manager for a time, in UTC; empty: for good.', null=True, verbose_name='last day')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
                ('ended_because', models.CharField(blank=True, choices=[('used', 'It was used already.'), ('revoked', 'It was revoked.'), ('declined', 'It was declined.'), ('expired', 'It has expired.'), ('superseded', 'An older link was used. The latest one works.'), ('inviter', 'The person who sent it may no longer invite.'), ('other_address', 'The account has another email address.'), ('unverified', "The account's email address isn't verified."), ('already_in', 'The person belongs to the organization already. Change the role instead.'), ('no_room', 'The edition had no place left.'), ('edition', 'The new edition has no place for it.')], max_length=20, verbose_name='ended because')),
                ('decline_message', models.CharField(blank=True, max_length=500, verbose_name='decline message')),
                ('asked_at', models.DateTimeField(blank=True, null=True, verbose_name='asked for anew')),
                ('asked_for', models.EmailField(blank=True, max_length=254, verbose_name='asked for anew by')),
                ('last_error', models.CharField(blank=True, choices=[('used', 'It was used already.'), ('revoked', 'It was revoked.'), ('declined', 'It was declined.'), ('expired', 'It has expired.'), ('superseded', 'An older link was used. The latest one works.'), ('inviter', 'The person who sent it may no longer invite.'), ('other_address', 'The account has another email address.'), ('unverified', "The account's email address isn't verified."), ('already_in', 'The person belongs to the organization already. Change the role instead.'), ('no_room', 'The edition had no place left.'), ('edition', 'The new edition has no place for it.')], max_length=20, verbose_name='last error')),
                ('last_error_by', models.CharField(blank=True, max_length=254)),
                ('last_error_at', models.DateTimeField(blank=True, null=True)),
                ('accepted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='accepted_invitations', to=settings.AUTH_USER_MODEL)),
                ('holders', models.ManyToManyField(blank=True, help_text='Of a link: accounts that were made with it and had to prove an address first.', related_name='held_invitations', to=settings.AUTH_USER_MODEL, verbose_name='held by')),
                ('invited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sent_invitations', to=settings.AUTH_USER_MODEL, verbose_name='invited by')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='orgs.organization')),
            ],
            options={
                'verbose_name': 'invitation',
                'verbose_name_plural': 'invitations',
                'indexes': [models.Index(condition=models.Q(('state', 'pending'), models.Q(('asked_for', ''), _negated=True), _connector='OR'), fields=['organization', 'sent_at', 'id'], name='invitation_org_listed'), models.Index(condition=models.Q(('state', 'pending'), models.Q(('email', ''), _negated=True)), fields=['email'], name='invitation_email_pending')],
                'constraints': [models.UniqueConstraint(models.F('organization'), django.db.models.functions.text.Lower('email'), condition=models.Q(('state', 'pending'), models.Q(('email', ''), _negated=True)), name='invitation_one_pending_per_address'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'mail'), models.Q(('email', ''), _negated=True)), models.Q(('email', ''), ('kind', 'link')), _connector='OR'), name='invitation_mail_has_address'), models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='invitation_email_lower'), models.CheckConstraint(condition=models.Q(('role__in', ['admin', 'member', 'billing_manager', 'billing_viewer'])), name='invitation_role_known'), models.CheckConstraint(condition=models.Q(('last_day', None), ('role__in', ['billing_manager', 'billing_viewer']), _connector='OR'), name='invitation_last_day_role'), models.CheckConstraint(condition=models.Q(('generation__gte', 1)), name='invitation_generation_positive'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'pending')), models.Q(('decided_at__isnull', False), ('state__in', ['accepted', 'declined', 'revoked', 'expired'])), _connector='OR'), name='invitation_decided_once'), models.CheckConstraint(condition=models.Q(('of_no_person', False), ('invited_by', None), _connector='OR'), name='invitation_of_one_inviter'), models.CheckConstraint(condition=models.Q(('accepted_by', None), ('state', 'accepted'), _connector='OR'), name='invitation_accepted_by')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invitation',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='02c78f9f3d3da0e2c8a8e6cc989c1c1fe755054d', operation='DELETE', pgid='pgtrigger_never_deleted_a59bc', table='invitations_invitation', when='BEFORE')),
        ),
    ]
