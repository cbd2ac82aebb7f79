# frozen_string_literal: true

# Converts Markdown as Jekyll does, after Liquid. Each line of the input is a JSON string, each line of the output its
# HTML as one.
#
# Four things are left out, for they are no words of the author, or are not written as the author typed them:
# typographic quotes, dashes and dots; arrows back from footnotes; tables of contents; the delimiters of formulas.

require "json"
require "kramdown"
require "kramdown-parser-gfm"
require "jekyll"

class Kramdown::Converter::Html
  QUOTES = { lsquo: "'", rsquo: "'", ldquo: '"', rdquo: '"' }.freeze
  SYMBOLS = { mdash: "---", ndash: "--", hellip: "...", laquo_space: "&lt;&lt; ", raquo_space: " &gt;&gt;",
              laquo: "&lt;&lt;", raquo: "&gt;&gt;" }.freeze

  def convert_smart_quote(element, _indent)
    QUOTES.fetch(element.value)
  end

  def convert_typographic_sym(element, _indent)
    SYMBOLS.fetch(element.value)
  end

  def convert_math(element, indent)
    formula = "$$#{escape_html(element.value)}$$"
    element.options[:category] == :block ? format_as_block_html("div", {}, formula, indent) : formula
  end

  alias convert_list convert_ul
  def convert_ul(element, indent)
    element.options.dig(:ial, :refs)&.include?("toc") ? "" : convert_list(element, indent)
  end
  alias convert_ol convert_ul
end

OPTIONS = { input: "GFM", hard_wrap: false, entity_output: "as_char", auto_ids: false, footnote_backlink: "",
            syntax_highlighter: nil }.freeze

SITE = Struct.new(:highlighter).new("none")

$stdin.set_encoding("UTF-8")
$stdin.each_line do |line|
  html = begin
    source = Liquid::Template.parse(JSON.parse(line)).render!({}, registers: { site: SITE })
    Kramdown::Document.new(source, OPTIONS.dup).to_html
  rescue Liquid::Error
    nil
  end
  puts JSON.generate(html)
end
