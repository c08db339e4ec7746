// The interpreter against jinja2: tests/support/make_template_golden.py says how the golden file was made.
#include "model/chat/chat_template.h"
#include "model/chat/jinja/json_value.h"
#include "model/chat/jinja/template.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

namespace {

using Json = nlohmann::ordered_json;

const Json& wanted() {
  static const Json json = Json::parse(golden::text("templates.json"));
  return json;
}

// The golden file's date.
std::tm noon() {
  std::tm t{};
  t.tm_year = 124, t.tm_mon = 6, t.tm_mday = 26, t.tm_hour = 12, t.tm_wday = 5, t.tm_yday = 207;
  return t;
}

bool refused_on_purpose(const std::string& error) {
  for (const auto& part : wanted()["refusals"])
    if (error.find(part.get<std::string>()) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("conversations come out as transformers' apply_chat_template writes them", "[jinja]") {
  for (const auto& chat : wanted()["chats"]) {
    const std::string name = chat["template"], which = chat["case"];
    const Json& asked = wanted()["cases"][which];
    INFO(name << ": " << which);
    model::RenderOptions options;
    options.add_generation_prompt = asked["add_generation_prompt"];
    options.continue_final_message = asked["continue_final_message"];
    options.spans = chat.contains("spans");
    options.variables = asked["variables"];
    std::string error = "no error";
    model::jinja::Output got;
    try {
      got = model::ChatTemplate(wanted()["templates"][name], name, wanted()["tokens"]).render(asked["messages"], options);
    } catch (const kernels::UsageError& refused) {
      error = refused.what();
    }
    INFO(error);
    CHECK((error != "no error") == chat.contains("error"));
    if (chat.contains("error")) continue;
    CHECK(got.text == chat["text"].get<std::string>());
    Json spans = Json::array();
    for (const auto& span : got.generation) spans.push_back({span.begin, span.end});
    if (options.spans) CHECK(spans == chat["spans"]);
  }
}

TEST_CASE("random templates come out as jinja2 writes them, or are refused", "[jinja]") {
  const auto variables = model::jinja::from_json(wanted()["variables"]);
  int64_t refused = 0;
  for (const auto& sample : wanted()["samples"]) {
    INFO(sample["template"].get<std::string>());
    std::string text, error;
    try {
      text = model::jinja::Template(sample["template"].get<std::string>(), "sample").render(variables, noon()).text;
    } catch (const kernels::UsageError& e) {
      error = e.what();
    }
    INFO(error);
    if (sample.contains("error")) {
      CHECK_FALSE(error.empty());
    } else if (!error.empty()) {
      CHECK(refused_on_purpose(error));
      ++refused;
    } else {
      CHECK(text == sample["text"].get<std::string>());
    }
  }
  CHECK(refused * 10 < static_cast<int64_t>(wanted()["samples"].size()));
}
