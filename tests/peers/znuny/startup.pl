# What each server process has loaded before its first request. The name of the program must be one of the site's own.
use strict; use warnings;
BEGIN {
    $ModPerl::Util::DEFAULT_UNLOAD_METHOD = 'unload_package_xs';
    $0 = "$ENV{INTERDESK_ZNUNY_STATE}/site/bin/cgi-bin/index.pl";
    unshift @INC, map { "$ENV{INTERDESK_ZNUNY_STATE}/site$_" } '', '/Kernel/cpan-lib', '/Custom';
}
use Apache2::RequestRec (); use APR::Table (); use Apache2::Const -compile => 'DECLINED'; use ModPerl::Util (); use CGI (); use CGI::Carp (); use DBD::Pg ();
CGI->compile(':cgi');
use Apache::DBI (); use Kernel::System::DB::postgresql;

# The access log, one line before each answer: a web server's own is written after, when a test has read on already. So
# it has no status. Who asks is told by the web service, and what, over SOAP, after a #.
package Told;
my %who = (Interdesk => 'interdesk', InterdeskSOAP => 'interdesk', People => 'agent');

sub handler {
    my ($request) = @_;
    my $path = $request->unparsed_uri;
    my ($service) = $path =~ m{/Webservice/(\w+)};
    my ($operation) = ($request->headers_in->get('SOAPAction') // '') =~ m{(#\w+)};
    open my $log, '>>', "$ENV{INTERDESK_ZNUNY_STATE}/access.log" or die "access.log: $!";
    syswrite $log, join(' ', time, $request->method, $path . ($operation // ''), 0, $who{ $service // '' } // '-') . "\n";
    return Apache2::Const::DECLINED();
}
1;
