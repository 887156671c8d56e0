# Znuny's configuration: what differs from its defaults. The state folder holds the rest, one file each.
package Kernel::Config;
use strict; use warnings; use utf8;
use Cwd ();

sub Load {
    my $Self = shift;
    my ($site) = Cwd::abs_path(__FILE__) =~ m{^(.*)/Kernel/Config\.pm$};
    my ($state) = $site =~ m{^(.*)/site$};
    my $line = sub { open my $in, '<', "$state/$_[0]" or return ''; chomp(my $line = <$in> // ''); return $line };
    my ($user, $password, $host, $port) = $line->('database') =~ m{^postgresql://(.*?):(.*?)\@(.*?):(\d+)/};
    $Self->{DatabaseHost} = $host; $Self->{Database} = 'znuny'; $Self->{DatabaseUser} = $user; $Self->{DatabasePw} = $password;
    $Self->{DatabaseDSN} = "DBI:Pg:dbname=znuny;host=$host;port=$port;";
    $Self->{Home} = $site; $Self->{SecureMode} = 1; $Self->{FQDN} = 'znuny.example.org';
    $Self->{CheckMXRecord} = 0; $Self->{CheckEmailAddresses} = 0;
    $Self->{SendmailModule} = 'Kernel::System::Email::Sendmail'; $Self->{'SendmailModule::CMD'} = "$state/sendmail";
    $Self->{LogModule} = 'Kernel::System::Log::File'; $Self->{'LogModule::LogFile'} = "$state/znuny.log";
    my $zone = $line->('timezone');
    $Self->{OTRSTimeZone} = $zone if $zone;
    return 1;
}

use Kernel::Config::Defaults;
use parent qw(Kernel::Config::Defaults);
1;
