# Fills an empty RT: accounts, queues, rights, a custom field, a webhook. Prints KEY=VALUE lines.
#   setup.pl site         everything a fresh site needs
#   setup.pl queue NAME   one more queue like the first
use strict; use warnings; use lib '/usr/share/request-tracker5/lib';
use RT -init;
use RT::AuthToken; use RT::CustomField; use RT::Scrip;

# every `Create` of RT answers (true or false, sentence, ...)
sub done { my ($ok, @rest) = @_; die "$rest[0]\n" unless $ok; return @rest }
sub loaded { my ($class, $name) = @_; my $it = $class->new(RT->SystemUser); $it->Load($name); die "no $name\n" unless $it->Id; $it }

my @writer = qw(SeeQueue ShowTicket ShowTicketComments ShowOutgoingEmail CreateTicket ReplyToTicket CommentOnTicket ModifyTicket
    OwnTicket TakeTicket StealTicket ReassignTicket Watch WatchAsAdminCc SeeCustomField ModifyCustomField ShowScrips);
my @person = (@writer, qw(DeleteTicket ForwardMessage));

sub account {
    my ($name, $real) = @_;
    my $user = RT::User->new(RT->SystemUser);
    done($user->Create(Name => $name, RealName => $real, EmailAddress => "$name\@rt.example.org", Password => "$name-password", Privileged => 1));
    for my $right (qw(ManageAuthTokens ModifySelf)) { done($user->PrincipalObj->GrantRight(Right => $right, Object => $RT::System)) }
    my (undef, $token) = done(RT::AuthToken->new(RT->SystemUser)->Create(Owner => $user->Id, Description => 'tests'));
    return ($user, $token);
}

sub allow { my ($user, $queue, @rights) = @_; done($user->PrincipalObj->GrantRight(Right => $_, Object => $queue)) for @rights }

sub queue {
    my ($name) = @_;
    my $queue = RT::Queue->new(RT->SystemUser);
    done($queue->Create(Name => $name, Lifecycle => 'ggus', CorrespondAddress => "$name\@rt.example.org", CommentAddress => "$name-comment\@rt.example.org"));
    return $queue;
}

# a queue that the sync account writes to, that people work in, and that anybody may write to by mail
sub shared_queue {
    my ($name, $sync, $agent) = @_;
    my $queue = queue($name);
    allow($sync, $queue, @writer);
    allow($agent, $queue, @person);
    my $everyone = RT::Group->new(RT->SystemUser); $everyone->LoadSystemInternalGroup('Everyone');
    allow($everyone, $queue, qw(CreateTicket ReplyToTicket CommentOnTicket));
    return $queue;
}

my ($what, $name) = @ARGV;
if ($what eq 'queue') {
    my $queue = shared_queue($name, map { loaded('RT::User', $_) } qw(ggus-sync agent));
    done(loaded('RT::CustomField', 'ExternalId')->AddToObject($queue));
    print "RT_QUEUE=$name\nRT_QUEUE_ID=", $queue->Id, "\n";
    exit 0;
}

done(loaded('RT::User', 'root')->SetPassword('root-password'));
my ($sync, $sync_token) = account('ggus-sync', 'GGUS sync');
my ($agent, $agent_token) = account('agent', 'Ada Agent');
my $queue = shared_queue('ggus', $sync, $agent);
# a queue that people can move a ticket to and that the sync account cannot see
my $elsewhere = queue('elsewhere');
allow($agent, $elsewhere, @person);
my $field = RT::CustomField->new(RT->SystemUser);
done($field->Create(Name => 'ExternalId', Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket', Queue => $queue->Id));
for my $user ($sync, $agent) { allow($user, $field, qw(SeeCustomField ModifyCustomField)) }

# RT has no webhooks; a scrip posts one JSON line per transaction to the URL in the webhook file (first line; the second line,
# if any, is a secret for an HMAC-SHA256 signature). It runs after the database commit, inside the person's request.
done(RT::Scrip->new(RT->SystemUser)->Create(
    Description => 'webhook', Queue => 0, Stage => 'TransactionCreate', Template => 'Blank', ScripCondition => 'On Transaction',
    ScripAction => 'User Defined', CustomPrepareCode => 'return 1;', CustomCommitCode => <<'PERL'));
my $file = RT->Config->Get('InterdeskWebhookFile');
return 1 unless -s $file;
open my $in, '<', $file or return 1;
chomp(my ($url, $secret) = <$in>);
require LWP::UserAgent; require JSON; require Digest::SHA;
my ($transaction, $ticket) = ($self->TransactionObj, $self->TicketObj);
my $body = JSON->new->utf8->canonical->encode({
    ticket => $ticket->Id, queue => $ticket->QueueObj->Name, transaction => $transaction->Id,
    type => $transaction->Type, field => $transaction->Field, creator => $transaction->CreatorObj->Name });
my @signature = defined $secret && length $secret ? ('X-Hub-Signature-256' => 'sha256=' . Digest::SHA::hmac_sha256_hex($body, $secret)) : ();
my $answer = LWP::UserAgent->new(timeout => 60)->post($url, 'Content-Type' => 'application/json', @signature, Content => $body);
RT->Logger->warning('webhook: ' . $answer->status_line) unless $answer->is_success;
return 1;
PERL

print "$_\n" for
    'RT_USER=ggus-sync', 'RT_PASSWORD=ggus-sync-password', "RT_TOKEN=$sync_token",
    'RT_AGENT=agent', "RT_AGENT_TOKEN=$agent_token", 'RT_ADMIN=root', 'RT_ADMIN_PASSWORD=root-password',
    'RT_QUEUE=ggus', 'RT_QUEUE_ID=' . $queue->Id, 'RT_OTHER_QUEUE=elsewhere', 'RT_CF=ExternalId', 'RT_CF_ID=' . $field->Id;
