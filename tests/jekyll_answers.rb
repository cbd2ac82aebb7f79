# Prints what Jekyll itself reads in each post of a site: one JSON object a line.
#   ruby jekyll_answers.rb FOLDER
# status: ok, damaged (Jekyll logs an error and loses the front matter), fatal (Jekyll stops the build),
# skipped (Jekyll reads the file and leaves it out).
require "jekyll"
require "json"

READ = []

module Recorded
  def read(**)
    READ << self
    super
  rescue Jekyll::Errors::FatalException => e
    @fatal = e
  end

  def answer
    status = @fatal ? "fatal" : @damage ? "damaged" : content.nil? || !content.valid_encoding? ? "skipped" : "ok"
    # No default values here: they have been merged, and an absent key must stay absent.
    values = data.each_with_object({}) { |(key, value), plain| plain[key] = value }
    {
      :path       => path.delete_prefix("#{site.source}/"),
      :status     => status,
      :title      => values["title"].to_s.scrub,
      :date       => values["date"].is_a?(Time) ? values["date"].getutc.strftime("%Y-%m-%dT%H:%M:%SZ") : nil,
      :categories => Array(values["categories"]).map { |name| name.to_s.scrub },
      :tags       => Array(values["tags"]).map { |name| name.to_s.scrub },
      :draft      => !!values["draft"],
      :published  => published?,
      :url        => address,
    }
  end

  private

  # nil where Jekyll cannot make one, or makes it from the time of the file or of the build.
  def address
    below = site.config.values_at("url", "baseurl").map { |part| part.to_s.chomp("/") }.join
    below + url if data.key?("date") || !draft?
  rescue StandardError
    nil
  end

  def handle_read_error(error)
    @damage = error
    super
  end
end

Jekyll::Document.prepend(Recorded)
Jekyll.logger.log_level = :error
$stderr.reopen(File::NULL)
options = { "source" => File.expand_path(ARGV[0]), "quiet" => true, "disable_disk_cache" => true, "plugins" => [] }
site = Jekyll::Site.new(Jekyll.configuration(options.merge("show_drafts" => true, "future" => true, "unpublished" => true)))
site.reader.read_directories
READ.each { |document| puts JSON.generate(document.answer) }
