from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='JobCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(verbose_name='month')),
                ('job', models.CharField(choices=[('manager_invited', 'Invite a billing manager'), ('invitation_renewed', "Send a billing manager's invitation again"), ('invitation_revoked', "Revoke a billing manager's invitation"), ('manager_removed', 'Remove a billing manager'), ('role_changed', 'Make somebody a billing manager, or a billing manager something else'), ('card_updated', 'Change what pays'), ('details_changed', 'Change the billing details'), ('invoice_paid', 'Pay an invoice'), ('subscription_changed', 'Change the subscription')], max_length=30, verbose_name='job')),
                ('done_by', models.CharField(choices=[('person', 'Person'), ('token', 'Access token'), ('staff', 'Support staff'), ('stripe', 'Stripe'), ('system', 'This portal'), ('host', 'The product')], max_length=10, verbose_name='done by')),
                ('count', models.PositiveIntegerField(verbose_name='count')),
            ],
            options={
                'verbose_name': 'job count',
                'verbose_name_plural': 'job counts',
                'ordering': ['-month', 'job', 'done_by'],
                'constraints': [models.UniqueConstraint(fields=('month', 'job', 'done_by'), name='jobcount_once'), models.CheckConstraint(condition=models.Q(('month__day', 1)), name='jobcount_first_of_month')],
            },
        ),
    ]
