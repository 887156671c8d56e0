# Request Tracker's configuration for tests; rt.sh says where the state is and which port.
use utf8;
my ($state, $port) = @ENV{qw(INTERDESK_RT_STATE INTERDESK_RT_PORT)};

Set($rtname, 'rt.example.org'); Set($Organization, 'rt.example.org'); Set($Timezone, 'UTC');
Set($WebDomain, '127.0.0.1'); Set($WebPort, $port); Set($WebPath, ''); Set($WebBaseURL, "http://127.0.0.1:$port");
Set($DatabaseType, 'SQLite'); Set($DatabaseName, "$state/rt.sqlite");
Set($CorrespondAddress, 'rt@rt.example.org'); Set($CommentAddress, 'rt-comment@rt.example.org');
Set($MailCommand, 'sendmailpipe'); Set($SendmailPath, "$state/sendmail");
Set($LogToSyslog, undef); Set($LogToSTDERR, 'error'); Set($DevelMode, 0); Set($RestrictReferrer, 0);
# RT hashes a token on every request; at the default cost of 12 that is a quarter of a second of CPU each
Set($BcryptCost, 4);
Set($InterdeskWebhookFile, "$state/webhook");
$MasonDataDir = "$state/mason"; $MasonSessionDir = "$state/sessions";

# a strict lifecycle, so that forbidden transitions exist ('default' allows nearly all)
Set(%Lifecycles, ggus => {
  initial => ['new'], active => ['open', 'stalled'], inactive => ['resolved', 'rejected', 'deleted'],
  defaults => { on_create => 'new', approved => 'open', denied => 'rejected' },
  transitions => {
    ''       => ['new', 'open'],
    new      => ['open', 'rejected', 'deleted'],
    open     => ['stalled', 'resolved'],
    stalled  => ['open'],
    resolved => ['open'],
    rejected => [],
    deleted  => [],
  },
  rights => { '* -> *' => 'ModifyTicket' }, actions => [],
});
1;
