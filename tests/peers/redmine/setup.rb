# Fills an empty Redmine: accounts, a role with a strict workflow, a project, a custom field.
# Writes KEY=VALUE lines to the file named as argument.
ActiveRecord::Migration.verbose = false
ActiveRecord::Tasks::DatabaseTasks.migrate
ActiveRecord::Base.connection.execute('PRAGMA journal_mode=wal')
ActiveRecord::Base.descendants.each(&:reset_column_information)
Redmine::DefaultData::Loader.load('en')

{ rest_api_enabled: '1', default_language: 'en', host_name: 'redmine.example.org', mail_from: 'redmine@redmine.example.org',
  attachment_max_size: '10240' }.each { |name, value| Setting[name] = value }

def account(login, first, last)
  user = User.new(firstname: first, lastname: last, mail: "#{login}@redmine.example.org", language: 'en', mail_notification: 'none')
  user.login = login
  user.password = user.password_confirmation = "#{login}-password"
  user.status = User::STATUS_ACTIVE
  user.tap(&:save!)
end

admin = User.find_by_login('admin')
admin.password = admin.password_confirmation = 'admin-password'
admin.must_change_passwd = false
admin.save!
sync = account('ggus-sync', 'GGUS', 'Sync')
agent = account('agent', 'Ada', 'Agent')

statuses = IssueStatus.all.index_by(&:name)
trackers = Tracker.all.to_a
manager = Role.find_by_name('Manager') # may do everything; the default data gives it every transition
role = Role.create!(name: 'Sync', assignable: true, issues_visibility: 'all', permissions: %i[
  view_issues add_issues edit_issues add_issue_notes edit_own_issue_notes view_private_notes set_notes_private
  add_issue_watchers view_issue_watchers manage_issue_relations
])
# a strict workflow, so that forbidden transitions exist
[['New', 'In Progress'], %w[New Rejected], ['In Progress', 'Feedback'], ['Feedback', 'In Progress'], ['In Progress', 'Resolved'],
 ['Resolved', 'In Progress'], %w[Resolved Closed]].each do |from, to|
  trackers.each do |tracker|
    WorkflowTransition.create!(role_id: role.id, tracker_id: tracker.id, old_status_id: statuses[from].id, new_status_id: statuses[to].id)
  end
end
trackers.each { |tracker| WorkflowTransition.create!(role_id: role.id, tracker_id: tracker.id, old_status_id: 0, new_status_id: statuses['New'].id) }

field = IssueCustomField.create!(name: 'ExternalId', field_format: 'string', is_for_all: true, is_filter: true, searchable: true,
                                 tracker_ids: trackers.map(&:id))
def project(name, identifier, trackers)
  Project.new(name: name, identifier: identifier, is_public: false).tap do |project|
    project.enabled_module_names = ['issue_tracking']
    project.trackers = trackers
    project.save!
  end
end
shared = project('GGUS exchange', 'ggus', trackers)
Member.create!(project: shared, principal: sync, roles: [role])
Member.create!(project: shared, principal: agent, roles: [manager])
# a project that people can move an issue to and that the sync account cannot see
elsewhere = project('Elsewhere', 'elsewhere', trackers)
Member.create!(project: elsewhere, principal: agent, roles: [manager])

pairs = ->(records) { records.map { |record| "#{record.name.tr(' ', '_')}:#{record.id}" }.join(',') }
File.write(ARGV.fetch(0), <<~FACTS)
  REDMINE_USER=ggus-sync
  REDMINE_USER_ID=#{sync.id}
  REDMINE_PASSWORD=ggus-sync-password
  REDMINE_API_KEY=#{sync.api_key}
  REDMINE_ROLE_ID=#{role.id}
  REDMINE_AGENT=agent
  REDMINE_AGENT_ID=#{agent.id}
  REDMINE_AGENT_API_KEY=#{agent.api_key}
  REDMINE_AGENT_ROLE_ID=#{manager.id}
  REDMINE_ADMIN=admin
  REDMINE_ADMIN_API_KEY=#{admin.api_key}
  REDMINE_ADMIN_PASSWORD=admin-password
  REDMINE_PROJECT=#{shared.identifier}
  REDMINE_PROJECT_ID=#{shared.id}
  REDMINE_OTHER_PROJECT=#{elsewhere.identifier}
  REDMINE_CF=ExternalId
  REDMINE_CF_ID=#{field.id}
  REDMINE_STATUSES=#{pairs.call(IssueStatus.sorted)}
  REDMINE_PRIORITIES=#{pairs.call(IssuePriority.active.sorted)}
  REDMINE_TRACKERS=#{pairs.call(trackers)}
FACTS
