import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='OutgoingEmail',
            fields=[
                ('attempts', models.PositiveIntegerField(db_default=0)),
                ('next_attempt_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('leased_until', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True, db_default='')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=60)),
                ('to', models.EmailField(max_length=254, verbose_name='recipient')),
                ('organization_id', models.UUIDField(null=True)),
                ('params', models.JSONField(default=dict)),
                ('dedupe_key', models.CharField(max_length=200, unique=True)),
                ('message_id', models.CharField(max_length=320, verbose_name='Message-ID')),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('writing', 'Being written'), ('sending', 'Being sent'), ('sent', 'Sent'), ('failed', 'Failed'), ('dropped', 'No longer needed')], db_default='queued', max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('sent_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'outgoing mail',
                'verbose_name_plural': 'outgoing mails',
                'ordering': ['-created_at'],
                'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'writing', 'sending'])), fields=['next_attempt_at'], name='outgoingemail_unfinished'), models.Index(condition=models.Q(('state', 'failed')), fields=['created_at'], name='outgoingemail_failed'), models.Index(fields=['organization_id', '-created_at'], name='outgoingemail_org')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'writing', 'sending', 'sent', 'failed', 'dropped'])), name='outgoingemail_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['writing', 'sending']), _negated=True), ('leased_until__isnull', False), _connector='OR'), name='outgoingemail_lease_ends'), models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', True)), _connector='OR'), name='outgoingemail_sent_at')],
            },
        ),
    ]
