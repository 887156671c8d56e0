<?php
// An interface to GGUS as it would be written in PHP: everything from the WSDL, credentials in the header.
[, $url, $user] = $argv;
$client = new SoapClient("$url/soap?wsdl", ['exceptions' => true, 'trace' => true, 'cache_wsdl' => WSDL_CACHE_NONE]);
$login = new SoapVar(['userName' => $user, 'password' => $user], SOAP_ENC_OBJECT, null, null, null, 'urn:GGUS');
$client->__setSoapHeaders(new SoapHeader('urn:GGUS', 'AuthenticationInfo', $login));

$signed = ['GHD_Last_Modifier' => 'Alice (via PHP)', 'GHD_Last_Login' => $user];
$id = $client->OpCreate($signed + [
    'GHD_Short_Description' => 'Žluťoučký kůň <&>',
    'GHD_Description' => "one\ntwo",
    'GHD_Responsible_Unit' => 'NGI_CZ',
    'GHD_Origin_ID' => '4711',
    'GHD_Origin_SG' => 'PHP',
])->GHD_Request_ID;
$client->TicketModify($signed + ['GHD_Request_ID' => $id, 'GHD_Status' => 'in progress', 'GHD_Public_Diary' => 'we look']);
$data = random_bytes(3000);
$file = $client->AddAttachment([
    'GAT_Attachment_Name' => 'log.bin', 'GAT_Attachment_Data' => $data, 'GAT_Attachment_Orig_Size' => strlen($data),
    'GAT_Request_ID' => $id, 'GAT_Last_Modifier' => 'Alice (via PHP)', 'GAT_Last_Login' => $user,
])->GAT_Attachment_ID;
$back = $client->GetOneAttachment(['GAT_Attachment_ID' => $file])->GAT_attachmentData;
$ticket = $client->TicketGet(['GHD_Request_ID' => $id]);
$history = $client->OpGetTicketHist(['GHD_Request_ID' => $id])->getListValues;
try {
    $client->TicketGetList(['GHD_Responsible_Unit' => 'NGI_NOWHERE']);
    $empty = 'no fault';
} catch (SoapFault $fault) {
    $empty = $fault->faultstring;
}
echo json_encode([
    'id' => $id, 'subject' => $ticket->GHD_Short_Description, 'description' => $ticket->GHD_Description,
    'status' => $ticket->GHD_Status, 'diary' => $ticket->GHD_Public_Diary, 'file' => $back === $data,
    'records' => count($history), 'empty' => trim($empty),
]);
