# Redmine behind an access log, with a webhook.
require '/usr/share/redmine/config/environment'
require 'net/http'
require 'openssl'

STATE = ENV.fetch('INTERDESK_REDMINE_STATE')

# One line per request, "TIME METHOD PATH STATUS USER".
class AccessLog
  def initialize(app)
    @app = app
  end

  def call(env)
    status, headers, body = @app.call(env)
    # one write in append mode: lines of several workers stay whole
    line = [Time.now.utc.iso8601, env['REQUEST_METHOD'], env['REQUEST_URI'], status, User.current.login.presence || '-'].join(' ')
    File.open("#{STATE}/access.log", 'a') { |log| log.syswrite("#{line}\n") }
    [status, headers, body]
  end
end

# Redmine 5 has no webhooks: after a commit, one JSON line goes to the URL in the webhook file (first line; the second line,
# if any, is a secret for an HMAC-SHA256 signature).
module Webhook
  def self.post(event)
    return unless File.size?("#{STATE}/webhook")

    url, secret = File.readlines("#{STATE}/webhook", chomp: true)
    target = URI(url)
    headers = { 'Content-Type' => 'application/json' }
    headers['X-Hub-Signature-256'] = "sha256=#{OpenSSL::HMAC.hexdigest('SHA256', secret, event.to_json)}" if secret.present?
    Net::HTTP.start(target.host, target.port, open_timeout: 60, read_timeout: 60) { |http| http.post(target.request_uri, event.to_json, headers) }
  rescue StandardError => e
    Rails.logger.warn "webhook: #{e.class}"
  end
end

Issue.after_commit(on: :create) { Webhook.post(event: 'issue', issue: id, user: author&.login) }
Journal.after_commit(on: :create) { Webhook.post(event: 'journal', issue: journalized_id, journal: id, user: user&.login, private: private_notes) }

use AccessLog
run Rails.application
