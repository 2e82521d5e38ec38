import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('orgs', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('paid', 'Paid'), ('promotional', 'Promotional')], max_length=12, verbose_name='kind')),
                ('credits', models.PositiveBigIntegerField(verbose_name='credits')),
                ('effective_at', models.DateTimeField(verbose_name='effective')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('priority', models.SmallIntegerField(default=0, verbose_name='priority')),
                ('source', models.CharField(max_length=200, verbose_name='source')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgs.organization', verbose_name='organization')),
            ],
            options={
                'verbose_name': 'grant',
                'verbose_name_plural': 'grants',
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.PositiveBigIntegerField(verbose_name='number')),
                ('hour', models.DateTimeField(verbose_name='hour')),
                ('booked_at', models.DateTimeField(verbose_name='booked')),
                ('credits', models.BigIntegerField(verbose_name='credits')),
                ('left', models.BigIntegerField(null=True, verbose_name='left of the grant')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgs.organization', verbose_name='organization')),
                ('grant', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='credits.grant', verbose_name='grant')),
            ],
            options={
                'verbose_name': 'entry of a ledger',
                'verbose_name_plural': 'entries of ledgers',
            },
        ),
        migrations.CreateModel(
            name='OnDemandCharge',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('since', models.DateTimeField(verbose_name='since')),
                ('until', models.DateTimeField(verbose_name='until')),
                ('credits', models.BigIntegerField(verbose_name='credits')),
                ('price', models.DecimalField(decimal_places=10, max_digits=16, verbose_name='price of a credit')),
                ('amount', models.BigIntegerField(verbose_name='amount')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgs.organization', verbose_name='organization')),
            ],
            options={
                'verbose_name': 'charge of on-demand credits',
                'verbose_name_plural': 'charges of on-demand credits',
                'indexes': [models.Index(fields=['since', 'id'], name='on_demand_charge_month')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'since'), name='on_demand_charge_once'), models.CheckConstraint(condition=models.Q(('until__gt', models.F('since'))), name='on_demand_charge_lasts'), models.CheckConstraint(condition=models.Q(('credits', 0), _negated=True), name='on_demand_charge_of_some')],
            },
        ),
        migrations.CreateModel(
            name='Ledger',
            fields=[
                ('attempts', models.PositiveIntegerField(db_default=0)),
                ('next_attempt_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('leased_until', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True, db_default='')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('settled_until', models.DateTimeField(null=True, verbose_name='settled until')),
                ('closed_until', models.DateTimeField(null=True, verbose_name='closed until')),
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgs.organization', verbose_name='organization')),
            ],
            options={
                'verbose_name': 'ledger',
                'verbose_name_plural': 'ledgers',
            },
        ),
        migrations.CreateModel(
            name='Period',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('edition_code', models.CharField(max_length=30, verbose_name='edition')),
                ('starts_at', models.DateTimeField(verbose_name='starts')),
                ('ends_at', models.DateTimeField(verbose_name='ends')),
                ('credit_price', models.DecimalField(decimal_places=10, max_digits=16, null=True, verbose_name='price of a credit')),
                ('credits', models.PositiveBigIntegerField(default=0, verbose_name='credits')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgs.organization', verbose_name='organization')),
            ],
            options={
                'verbose_name': 'period of credits',
                'verbose_name_plural': 'periods of credits',
            },
        ),
        migrations.CreateModel(
            name='Voiding',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('voided_at', models.DateTimeField(verbose_name='voided')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('grant', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='voiding', to='credits.grant', verbose_name='grant')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgs.organization', verbose_name='organization')),
            ],
            options={
                'verbose_name': 'voided grant',
                'verbose_name_plural': 'voided grants',
            },
        ),
        migrations.AddIndex(
            model_name='grant',
            index=models.Index(fields=['organization', 'expires_at'], name='grant_org_expires'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.UniqueConstraint(fields=('organization', 'source'), name='grant_once'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['paid', 'promotional'])), name='grant_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('credits__gt', 0)), name='grant_of_some'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('effective_at'))), name='grant_lasts'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='grant',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a471c58dba680601785c226588f1b5eb0e5a466a', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_4165b', table='credits_grant', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['organization', 'booked_at'], name='entry_org_booked'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['organization', 'hour'], name='entry_org_hour'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('grant__isnull', False)), fields=['organization', 'grant', '-number'], name='entry_org_grant'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.UniqueConstraint(fields=('organization', 'number'), name='entry_number_once'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('number__gt', 0)), name='entry_numbered_from_one'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('credits', 0), _negated=True), name='entry_of_some'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('booked_at__gte', models.F('hour'))), name='entry_booked_after_hour'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('grant', None), ('left', None)), models.Q(('grant__isnull', False), ('left__gte', 0)), _connector='OR'), name='entry_within_grant'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entry',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='bcb0c5d0b7c6d6b8fcad4ca08daa2da89edb8de5', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_8a7a3', table='credits_entry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entry',
            trigger=pgtrigger.compiler.Trigger(name='of_one_organization', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."grant_id" IS NOT NULL)', func="\n    IF NOT EXISTS (\n        SELECT FROM credits_grant WHERE id = NEW.grant_id AND organization_id = NEW.organization_id\n    ) THEN\n        RAISE EXCEPTION 'An entry is about a grant of its own organization.'\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'grant_of_one_organization';\n    END IF;\n    RETURN NEW;\n", hash='dd98beebce52c12d436a7308f8dcc33ac7f84bd1', operation='INSERT', pgid='pgtrigger_of_one_organization_d7502', table='credits_entry', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='ledger',
            index=models.Index(fields=['next_attempt_at'], name='ledger_due'),
        ),
        migrations.AddConstraint(
            model_name='period',
            constraint=models.UniqueConstraint(fields=('organization', 'starts_at'), name='credit_period_once'),
        ),
        migrations.AddConstraint(
            model_name='period',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='credit_period_lasts'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='period',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f03b218300595bc514ac4757cf63cee3be11ade1', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_7d33c', table='credits_period', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='voiding',
            index=models.Index(fields=['organization', 'voided_at'], name='voiding_org'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voiding',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='11c25e4aa8997a64bddf11324d8234c081ff6c08', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_cab7a', table='credits_voiding', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voiding',
            trigger=pgtrigger.compiler.Trigger(name='of_one_organization', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."grant_id" IS NOT NULL)', func="\n    IF NOT EXISTS (\n        SELECT FROM credits_grant WHERE id = NEW.grant_id AND organization_id = NEW.organization_id\n    ) THEN\n        RAISE EXCEPTION 'An entry is about a grant of its own organization.'\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'grant_of_one_organization';\n    END IF;\n    RETURN NEW;\n", hash='b859c66fbfb5d13018ea493795e58c4ec292e488', operation='INSERT', pgid='pgtrigger_of_one_organization_9d1b8', table='credits_voiding', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ondemandcharge',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='755248ad367501eacde482c02c9a3fbe100c0eb0', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_612a2', table='credits_ondemandcharge', when='BEFORE')),
        ),
    ]
