import accounts.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('orgs', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ServiceToken',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80, validators=[accounts.validators.validate_display_name], verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('start', models.CharField(editable=False, max_length=8, verbose_name='begins with')),
                ('scopes', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='made')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('last_used_at', models.DateTimeField(editable=False, null=True, verbose_name='last used')),
                ('counted_minute', models.DateTimeField(editable=False, null=True)),
                ('counted', models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                'verbose_name': 'service token',
                'verbose_name_plural': 'service tokens',
                'ordering': ['-created_at', '-id'],
                'constraints': [models.UniqueConstraint(fields=('name',), name='servicetoken_name')],
            },
        ),
        migrations.CreateModel(
            name='AccessToken',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80, validators=[accounts.validators.validate_display_name], verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('start', models.CharField(editable=False, max_length=8, verbose_name='begins with')),
                ('scopes', models.JSONField(default=list)),
                ('maker_name', models.CharField(max_length=254, verbose_name='made by')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='made')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('last_used_at', models.DateTimeField(editable=False, null=True, verbose_name='last used')),
                ('counted_minute', models.DateTimeField(editable=False, null=True)),
                ('counted', models.PositiveIntegerField(default=0, editable=False)),
                ('membership', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='access_tokens', to='orgs.membership')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access_tokens', to='orgs.organization')),
            ],
            options={
                'verbose_name': 'access token',
                'verbose_name_plural': 'access tokens',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['organization', '-created_at'], name='accesstoken_org_created'), models.Index(fields=['expires_at'], name='accesstoken_expires'), models.Index(fields=['start'], name='accesstoken_start')],
            },
        ),
    ]
