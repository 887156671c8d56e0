#!/usr/bin/perl
# An interface to GGUS as it was written in Perl: by hand, to the classic addresses, credentials in the header.
use strict;
use warnings;
use JSON::PP;
use SOAP::Lite;
use utf8;

my ($url, $user) = @ARGV;
my $fault = '';
my %service = map {
    $_ => SOAP::Lite->new->proxy("$url/arsys/services/ARService?server=prod-ars&webService=$_")->autotype(0)
        ->default_ns("urn:GGUS")->on_action(sub { qq("urn:GGUS/$_[1]") })
        ->on_fault(sub { my ($soap, $answer) = @_; $fault = ref $answer ? $answer->faultstring : $soap->transport->status; SOAP::SOM->new })
} qw(GGUS GGUS_ATTACH GGUS_HISTORY);
my $login = SOAP::Header->name(AuthenticationInfo => \SOAP::Header->value(
    SOAP::Header->name(userName => $user), SOAP::Header->name(password => $user)));

sub call {
    my ($service, $operation, @said) = @_;
    my @elements;
    while (my ($name, $value) = splice @said, 0, 2) { push @elements, SOAP::Data->name($name => $value)->type('string') }
    return $service{$service}->call($operation, $login, @elements);
}

my @signed = (GHD_Last_Modifier => 'Alice (via Perl)', GHD_Last_Login => $user);
my $id = call(GGUS => 'OpCreate', GHD_Short_Description => 'Žluťoučký kůň <&>', GHD_Description => "one\ntwo", @signed,
    GHD_Responsible_Unit => 'NGI_CZ', GHD_Origin_ID => '4712', GHD_Origin_SG => 'PERL')->valueof('//GHD_Request_ID');
call(GGUS => 'OpModify', GHD_Request_ID => $id, @signed, GHD_Status => 'in progress', GHD_Public_Diary => 'we look');
my $ticket = call(GGUS => 'OpGet', GHD_Request_ID => $id)->valueof('//OpGetResponse');
my @records = call(GGUS_HISTORY => 'OpGetTicketHist', GHD_Request_ID => $id)->valueof('//getListValues');
call(GGUS => 'OpGetList', GHD_Responsible_Unit => 'NGI_NOWHERE');
print JSON::PP->new->ascii->encode({
    id => "$id", subject => $ticket->{GHD_Short_Description}, description => $ticket->{GHD_Description},
    status => $ticket->{GHD_Status}, diary => $ticket->{GHD_Public_Diary}, records => scalar @records,
    empty => $fault =~ s/\s+$//r,
});
