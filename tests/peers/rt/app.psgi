# RT behind an access log: one line per request, "TIME METHOD PATH STATUS USER".
use strict; use warnings;
use POSIX 'strftime';

my $rt = do '/usr/share/request-tracker5/libexec/rt-server' or die $@ || $!;
my $file = "$ENV{INTERDESK_RT_STATE}/access.log";

sub note {
    my ($env, $status) = @_;
    my $user = $env->{'rt.current_user'};
    open my $log, '>>', $file or die "$file: $!";
    # one syswrite: lines of several workers stay whole
    syswrite $log, join(' ', strftime('%Y-%m-%dT%H:%M:%SZ', gmtime), $env->{REQUEST_METHOD}, $env->{REQUEST_URI}, $status,
        $user && $user->Id ? $user->Name : '-') . "\n";
}

sub {
    my $env = shift;
    my $answer = $rt->($env);
    if (ref $answer eq 'ARRAY') { note($env, $answer->[0]); return $answer }
    return sub {
        my $respond = shift;
        $answer->(sub { note($env, $_[0][0]); $respond->(@_) });
    };
};
