# Fills an empty Znuny: accounts, queues, a dynamic field, web services. Prints KEY=VALUE lines.
#   setup.pl site         everything a fresh site needs
#   setup.pl queue NAME   one more queue like the first
#   setup.pl reword ARTICLE TEXT   another text for an article, as people edit it; without one it is taken away
#   setup.pl answer TICKET TEXT    an answer to the latest mail of a ticket, as an agent's page makes it
use strict; use warnings; use utf8; use FindBin;
BEGIN { unshift @INC, map { "$FindBin::RealBin/../..$_" } '', '/Kernel/cpan-lib', '/Custom' }
use Kernel::System::ObjectManager;
local $Kernel::OM = Kernel::System::ObjectManager->new('Kernel::System::Log' => { LogPrefix => 'setup' });

my %by = (ValidID => 1, UserID => 1, ChangeUserID => 1);
sub the { $Kernel::OM->Get("Kernel::System::$_[0]") }
sub done { my ($what, $answer) = @_; die "no $what\n" unless $answer; return $answer }

sub account {
    my ($login, $first, $last, @groups) = @_;
    my $id = done($login, the('User')->UserAdd(%by, UserFirstname => $first, UserLastname => $last, UserLogin => $login,
        UserPw => "$login-password", UserEmail => "$login\@znuny.example.org"));
    for my $group (@groups) {
        done("place in $group", the('Group')->PermissionGroupUserAdd(%by, GID => the('Group')->GroupLookup(Group => $group), UID => $id,
            Permission => { map { $_ => 1 } qw(ro move_into create note owner priority rw) }));
    }
}

sub queue {
    my ($name, $group) = @_;
    my %plain = (SystemAddressID => 1, SalutationID => 1, SignatureID => 1, FollowUpID => 1, FollowUpLock => 0);
    done($name, the('Queue')->QueueAdd(%by, %plain, Name => $name, GroupID => the('Group')->GroupLookup(Group => $group)));
}

sub service {
    my ($name, $file) = @_;
    open my $in, '<:encoding(UTF-8)', "$FindBin::RealBin/$file" or die "no $file\n";
    my $config = done($file, the('YAML')->Load(Data => do { local $/; <$in> }));
    done($name, the('GenericInterface::Webservice')->WebserviceAdd(%by, Name => $name, Config => $config));
}

my ($what, $name, $text) = @ARGV;
if ($what eq 'queue') {
    queue($name, 'users');
    print "ZNUNY_QUEUE=$name\n";
    exit 0;
}
if ($what eq 'reword') {
    my $articles = the('Ticket::Article');
    my $ticket = done("article $name", $articles->TicketIDLookup(ArticleID => $name));
    my %of = (TicketID => $ticket, ArticleID => $name, UserID => 1);
    my $backend = $articles->BackendForArticle(%of);
    utf8::decode($text) if defined $text;
    done('change', defined $text && length $text ? $backend->ArticleUpdate(%of, Key => 'Body', Value => $text) : $backend->ArticleDelete(%of));
    exit 0;
}

if ($what eq 'answer') {
    my $email = the('Ticket::Article')->BackendForChannel(ChannelName => 'Email');
    my @mails = the('Ticket::Article')->ArticleList(TicketID => $name, SenderType => 'customer', OnlyLast => 1);
    my %to = $email->ArticleGet(TicketID => $name, ArticleID => done('mail', $mails[0])->{ArticleID});
    my %ticket = the('Ticket')->TicketGet(TicketID => $name, UserID => 1);
    utf8::decode($text);
    done('answer', $email->ArticleSend(
        TicketID => $name, SenderType => 'agent', IsVisibleForCustomer => 1, UserID => 1, NoAgentNotify => 1,
        From => "Desk <$ticket{Queue}\@znuny.example.org>", To => $to{From}, InReplyTo => $to{MessageID}, References => $to{MessageID},
        Subject => the('Ticket')->TicketSubjectBuild(TicketNumber => $ticket{TicketNumber}, Subject => $to{Subject}, Action => 'Reply'),
        Body => $text, Charset => 'utf-8', MimeType => 'text/plain', HistoryType => 'SendAnswer', HistoryComment => 'answered',
    ));
    exit 0;
}

done('password', the('User')->SetPassword(UserLogin => 'root@localhost', PW => 'root-password'));
# a group of queues that people can move a ticket to and that the sync account cannot see
done('group', the('Group')->GroupAdd(%by, Name => 'elsewhere'));
account('ggus-sync', 'GGUS', 'sync', 'users');
account('agent', 'Ada', 'Agent', 'users', 'elsewhere');
queue('ggus', 'users');
queue('elsewhere', 'elsewhere');
done('customer', the('CustomerUser')->CustomerUserAdd(%by, Source => 'CustomerUser', UserFirstname => 'Carl', UserLastname => 'Customer',
    UserCustomerID => 'SITE-A', UserLogin => 'customer', UserPassword => 'customer-password', UserEmail => 'customer@example.org'));
done('field', the('DynamicField')->DynamicFieldAdd(%by, Name => 'ExternalId', Label => 'External id', FieldOrder => 9000,
    FieldType => 'Text', ObjectType => 'Ticket', Config => { DefaultValue => '' }));
# one service each, so that the log tells who asked
service('Interdesk', 'znuny-rest.yml');
service('People', 'znuny-rest.yml');
service('InterdeskSOAP', 'znuny-soap.yml');

print "$_\n" for
    'ZNUNY_USER=ggus-sync', 'ZNUNY_PASSWORD=ggus-sync-password', 'ZNUNY_AGENT=agent', 'ZNUNY_AGENT_PASSWORD=agent-password',
    'ZNUNY_ADMIN=root@localhost', 'ZNUNY_ADMIN_PASSWORD=root-password', 'ZNUNY_CUSTOMER=customer',
    'ZNUNY_QUEUE=ggus', 'ZNUNY_OTHER_QUEUE=elsewhere', 'ZNUNY_DYNAMIC_FIELD=ExternalId';
