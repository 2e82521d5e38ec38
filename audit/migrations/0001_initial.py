import django.contrib.postgres.indexes
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('organization_id', models.UUIDField(editable=False, null=True)),
                ('organization_name', models.CharField(blank=True, editable=False, max_length=80)),
                ('actor_kind', models.CharField(choices=[('person', 'Person'), ('token', 'Access token'), ('staff', 'Support staff'), ('stripe', 'Stripe'), ('system', 'This portal'), ('host', 'The product')], editable=False, max_length=10)),
                ('actor_id', models.UUIDField(editable=False, null=True)),
                ('actor_name', models.CharField(editable=False, max_length=254)),
                ('token_id', models.UUIDField(editable=False, null=True)),
                ('token_name', models.CharField(blank=True, editable=False, max_length=80)),
                ('action', models.CharField(editable=False, max_length=60)),
                ('target_id', models.CharField(blank=True, editable=False, max_length=64)),
                ('target_name', models.CharField(blank=True, editable=False, max_length=254)),
                ('data', models.JSONField(default=dict, editable=False)),
            ],
            options={
                'verbose_name': 'audit event',
                'verbose_name_plural': 'audit events',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['organization_id', '-id'], name='audit_org_id'), models.Index(fields=['organization_id', 'action', '-id'], name='audit_org_action_id'), django.contrib.postgres.indexes.BrinIndex(fields=['created_at'], name='audit_created_at')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='0450288fcb55201b346da4e2d56d2293ba7aac03', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_00dfa', table='audit_auditevent', when='BEFORE')),
        ),
    ]
