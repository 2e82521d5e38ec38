import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('allauth_idp_oidc', '0003_client_allow_uri_wildcards'),
        ('orgs', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('last_used_at', models.DateTimeField(editable=False, null=True, verbose_name='last used')),
                ('counted_minute', models.DateTimeField(editable=False, null=True)),
                ('counted', models.PositiveIntegerField(default=0, editable=False)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('allowed_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='allowed')),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connections', to='allauth_idp_oidc.client', verbose_name='program')),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connections', to='orgs.membership')),
            ],
            options={
                'verbose_name': 'connected program',
                'verbose_name_plural': 'connected programs',
                'ordering': ['-allowed_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='DeviceRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('user_code_digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('denied', models.BooleanField(default=False, editable=False)),
                ('interval', models.PositiveSmallIntegerField(default=5, editable=False)),
                ('polled_at', models.DateTimeField(editable=False, null=True)),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='device_requests', to='allauth_idp_oidc.client')),
                ('connection', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, to='programs.connection')),
            ],
            options={
                'verbose_name': 'waiting device',
                'verbose_name_plural': 'waiting devices',
                'ordering': ['-expires_at'],
            },
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(fields=('client', 'membership'), name='connection_once'),
        ),
        migrations.AddConstraint(
            model_name='devicerequest',
            constraint=models.CheckConstraint(condition=models.Q(('connection', None), ('denied', False), _connector='OR'), name='devicerequest_one_answer'),
        ),
    ]
