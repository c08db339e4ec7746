#include "model/chat/jinja/json_value.h"
#include "model/chat/jinja/library.h"
#include "model/chat/jinja/template.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using model::jinja::Template;

namespace {

std::tm new_year() {  // 1 January 2025, a Wednesday, five past nine in the morning
  std::tm t{};
  t.tm_year = 125, t.tm_mday = 1, t.tm_hour = 9, t.tm_min = 5, t.tm_wday = 3;
  return t;
}

std::string rendered(const std::string& source, const char* variables = "{}") {
  return Template(source, "t").render(model::jinja::from_json(nlohmann::ordered_json::parse(variables)), new_year()).text;
}

std::string failure(const std::string& source, const char* variables = "{}") {
  return error_of([&] { rendered(source, variables); });
}

}  // namespace

TEST_CASE("an error names the template and the line", "[jinja]") {
  CHECK(failure("a\n{{ x.y }}") == "t:2: \"x\" is undefined");
  CHECK(failure("\n\n{% if %}") == "t:3: expected an expression but found the end of the tag");
  CHECK(failure("{{ raise_exception('roles must alternate') }}") == "t:1: roles must alternate");
  CHECK(failure("\n{{ d.a.b.c }}", R"({"d": {"a": {}}})") == "t:2: the dict has no attribute \"b\"");
}

TEST_CASE("what is outside the supported part is refused by name", "[jinja]") {
  CHECK(failure("{% include 'x' %}") == "t:1: the tag {% include %} is outside the supported part of Jinja");
  CHECK(failure("{{ 1|pprint }}") == "t:1: the filter pprint is outside the supported part of Jinja");
  CHECK(failure("{{ 1 is weird }}") == "t:1: the test \"weird\" is outside the supported part of Jinja");
  CHECK(failure("{{ 'a'.zfill(3) }}") == "t:1: the method zfill of text is outside the supported part of Jinja");
  CHECK_THAT(failure("{% for a in [] recursive %}{% endfor %}"), Contains("recursive loops"));
  CHECK_THAT(failure("{{ ''.__class__ }}"), Contains("the attribute __class__"));
  CHECK_THAT(failure("{{ '%s' % 1 }}"), Contains("% on text"));
}

TEST_CASE("a template cannot change its input", "[jinja]") {
  CHECK(failure("{{ xs.append(1) }}", R"({"xs": []})") == "t:1: list.append changes a value, which templates may not do");
  CHECK(rendered("{{ d.pop is defined }}", R"({"d": {}})") == "False");
}

TEST_CASE("a hostile template ends with an error", "[jinja]") {
  CHECK_THAT(failure("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), Contains("nest too deep"));
  CHECK_THAT(failure("{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"),
             Contains("larger than"));
  CHECK_THAT(failure("{{ 'a' * 1000000000000 }}"), Contains("larger than"));
  CHECK_THAT(failure("{% set ns = namespace(x=[]) %}{% for i in range(500) %}{% set ns.x = [ns.x] %}{% endfor %}"),
             Contains("nest deeper"));
  CHECK_THAT(failure("{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"),
             Contains("larger than"));
  CHECK_THAT(failure("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"),
             Contains("too many steps"));
  CHECK_THAT(failure("{{ range(100001) }}"), Contains("longer than 100000"));
  CHECK_THAT(failure("{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}"), Contains("nest deeper"));
  std::string sum = "1";
  for (int i = 0; i < 5000; ++i) sum += "+1";
  CHECK_THAT(failure("{{ " + sum + " }}"), Contains("nest deeper"));
  CHECK_THAT(failure("{{ 'a'|indent(99999999999) }}"), Contains("larger than"));
}

TEST_CASE("macros and namespaces that hold each other are freed", "[jinja]") {  // the address sanitizer looks for leaks
  CHECK(rendered("{% set ns = namespace() %}{% set ns.me = ns %}{% macro f() %}{% endmacro %}{% set ns.f = f %}{{ ns.me.me is "
                 "defined }}") == "True");
}

TEST_CASE("the generation tag marks bytes", "[jinja]") {
  // "é" has two bytes: the text is "é: " (4) + "ja" (2) + "."
  const auto output =
      Template("é: {% generation %}ja{% endgeneration %}.", "t").render(model::jinja::Value::dict({}), new_year(), true);
  REQUIRE(output.generation.size() == 1);
  CHECK(output.generation[0].begin == 4);
  CHECK(output.generation[0].end == 6);
  CHECK_THAT(error_of([] {
               Template("{% set x %}{% generation %}a{% endgeneration %}{% endset %}", "t")
                   .render(model::jinja::Value::dict({}), new_year(), true);
             }),
             Contains("{% generation %} inside a macro"));
}

TEST_CASE("a loop's else runs when no round came to its end", "[jinja]") {
  // jinja2 counts a round at the end of the body, so a round that {% continue %} leaves is none.
  CHECK(rendered("{% for i in [1, 2] %}{% continue %}{% else %}none{% endfor %}") == "none");
  CHECK(rendered("{% for i in [1, 2] %}{{ i }}{% else %}none{% endfor %}") == "12");
}

TEST_CASE("the date is the one that was given", "[jinja]") {
  CHECK(rendered("{{ strftime_now('%d %b %Y %-d %A %j %I:%M %p') }}") == "01 Jan 2025 1 Wednesday 001 09:05 AM");
  CHECK_THAT(failure("{{ strftime_now('%U') }}"), Contains("%U"));
}
