import accounts.validators
import django.db.models.deletion
import django.utils.timezone
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
            name='Team',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80, validators=[accounts.validators.validate_display_name], verbose_name='name')),
                ('name_key', models.TextField(editable=False)),
                ('description', models.CharField(blank=True, max_length=200, validators=[accounts.validators.validate_display_name], verbose_name='description')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='teams', to='orgs.organization')),
            ],
            options={
                'verbose_name': 'team',
                'verbose_name_plural': 'teams',
            },
        ),
        migrations.CreateModel(
            name='TeamMembership',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='added')),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='team_memberships', to='orgs.membership')),
                ('team', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='team_memberships', to='teams.team')),
            ],
            options={
                'verbose_name': 'person in a team',
                'verbose_name_plural': 'people in teams',
            },
        ),
        migrations.AddIndex(
            model_name='team',
            index=models.Index(fields=['organization', '-created_at', '-id'], name='team_org_created'),
        ),
        migrations.AddConstraint(
            model_name='team',
            constraint=models.UniqueConstraint(fields=('organization', 'name_key'), name='team_name_once'),
        ),
        migrations.AddIndex(
            model_name='teammembership',
            index=models.Index(fields=['team', '-added_at', '-id'], name='teammembership_team_added'),
        ),
        migrations.AddConstraint(
            model_name='teammembership',
            constraint=models.UniqueConstraint(fields=('team', 'membership'), name='teammembership_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='teammembership',
            trigger=pgtrigger.compiler.Trigger(name='one_organization', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NOT EXISTS (\n        SELECT FROM teams_team\n        JOIN orgs_membership USING (organization_id)\n        WHERE teams_team.id = NEW.team_id AND orgs_membership.id = NEW.membership_id\n    ) THEN\n        RAISE EXCEPTION 'A team has people of its own organization only.'\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'teammembership_one_organization';\n    END IF;\n    RETURN NEW;\n", hash='7afd2612710c078fe2c1a7e54bb1866ad07dcc58', operation='INSERT OR UPDATE', pgid='pgtrigger_one_organization_21f0d', table='teams_teammembership', when='BEFORE')),
        ),
    ]
