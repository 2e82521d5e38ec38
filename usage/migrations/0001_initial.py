import accounts.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

# Django can't create partitioned tables. The foreign keys are checked at once, not at commit: a partition
# can't be made while the table has checks pending.
PARTITIONED = """
CREATE TABLE usage_hourlycount (
    organization_id uuid NOT NULL REFERENCES orgs_organization (id),
    hour timestamptz NOT NULL,
    stack_id uuid NOT NULL REFERENCES usage_stack (id),
    resources integer NOT NULL CHECK (resources >= 0),
    PRIMARY KEY (organization_id, hour, stack_id)
) PARTITION BY RANGE (hour)
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('orgs', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Stack',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('cost_label', models.CharField(blank=True, db_default='', max_length=50, validators=[accounts.validators.validate_display_name], verbose_name='cost label')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='first seen')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='stacks', to='orgs.organization', verbose_name='organization')),
            ],
            options={
                'verbose_name': 'stack',
                'verbose_name_plural': 'stacks',
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(PARTITIONED, 'DROP TABLE usage_hourlycount')],
            state_operations=[
                migrations.CreateModel(
                    name='HourlyCount',
                    fields=[
                        ('pk', models.CompositePrimaryKey('organization_id', 'hour', 'stack_id', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('hour', models.DateTimeField()),
                        ('resources', models.PositiveIntegerField()),
                        ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgs.organization')),
                        ('stack', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='usage.stack')),
                    ],
                ),
            ],
        ),
        migrations.CreateModel(
            name='OrganizationDay',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('day', models.DateField(verbose_name='day')),
                ('resource_hours', models.PositiveBigIntegerField(verbose_name='resource hours')),
                ('hours_counted', models.PositiveSmallIntegerField(verbose_name='hours counted')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgs.organization', verbose_name='organization')),
            ],
            options={
                'verbose_name': 'day of an organization',
                'verbose_name_plural': 'days of organizations',
                'constraints': [models.UniqueConstraint(fields=('organization', 'day'), name='organization_day_unique'), models.CheckConstraint(condition=models.Q(('hours_counted__gte', 1), ('hours_counted__lte', 24)), name='organization_day_hours')],
            },
        ),
        migrations.CreateModel(
            name='OrganizationHour',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('hour', models.DateTimeField(verbose_name='hour')),
                ('resources', models.PositiveBigIntegerField(verbose_name='resources')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgs.organization', verbose_name='organization')),
            ],
            options={
                'verbose_name': 'hour of an organization',
                'verbose_name_plural': 'hours of organizations',
                'constraints': [models.UniqueConstraint(fields=('organization', 'hour'), name='organization_hour_unique')],
            },
        ),
        migrations.CreateModel(
            name='LabelHour',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('hour', models.DateTimeField(verbose_name='hour')),
                ('label', models.CharField(max_length=50, verbose_name='cost label')),
                ('resources', models.PositiveBigIntegerField(verbose_name='resources')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgs.organization', verbose_name='organization')),
            ],
            options={
                'verbose_name': 'hour of a cost label',
                'verbose_name_plural': 'hours of cost labels',
                'constraints': [models.UniqueConstraint(fields=('organization', 'hour', 'label'), name='label_hour_unique'), models.CheckConstraint(condition=models.Q(('label', ''), _negated=True), name='label_hour_named')],
            },
        ),
        migrations.AddIndex(
            model_name='stack',
            index=models.Index(condition=models.Q(('cost_label', ''), _negated=True), fields=['organization', 'cost_label'], name='stack_labeled'),
        ),
        migrations.AddConstraint(
            model_name='stack',
            constraint=models.UniqueConstraint(fields=('organization', 'name'), name='stack_name_unique'),
        ),
    ]
