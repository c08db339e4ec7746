"""Writes tests/model/golden/templates.json: what jinja2, run as transformers' apply_chat_template does, makes of templates.

    python3 tests/support/make_template_golden.py     (transformers 5.23, jinja2 3.1.6)

The templates are our own; they use what real chat templates use. The real ones are compared by tests/end_to_end/long/templates.sh.
"""
import json
import os

import template_cases
import template_grammar
from template_oracle import Oracle

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

TEMPLATES = {
    "marks": """{%- if messages and messages[0]['role'] == 'system' -%}
    {{- '[sys]' + messages[0].content + '[/sys]\n' }}
    {%- set rest = messages[1:] %}
{%- else %}
    {%- set rest = messages %}
{%- endif %}
{%- for m in rest %}
    {%- if (m.role == 'user') or (m.role == "assistant" and not m.tool_calls) %}
        {{- '[' ~ m.role ~ ']' + m.content + '[/]' + '\n' }}
    {%- elif m.role not in ['user', 'assistant'] %}
        {{- raise_exception('no role ' + m.role) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '[assistant]' }}
{%- endif %}
""",
    "alternate": "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
                 "{{ raise_exception('turns must alternate') }}{% endif %}{% if message['role'] == 'user' %}"
                 "{{ '<Q> ' + message['content'] | trim + ' </Q>' }}{% else %}{{ ' ' + message['content'].strip() + eos_token }}"
                 "{% endif %}{% endfor %}",
    "thoughts": """{% set ns = namespace(last=-1, found=false) %}
{% for m in messages[::-1] %}
  {% set i = (messages|length - 1) - loop.index0 %}
  {% if not ns.found and m.role == 'user' and m.content is string %}
    {% set ns.found = true %}
    {% set ns.last = i %}
  {% endif %}
{% endfor %}
{% for m in messages %}
{%- set text = m.content if m.content is string else m.content|map(attribute='text')|join('') %}
{%- if m.role == 'assistant' %}
{%- set why = '' %}
{%- if m.reasoning_content is defined and m.reasoning_content is not none %}{% set why = m.reasoning_content %}
{%- elif '</think>' in text %}
{%- set why = text.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
{%- set text = text.split('</think>')[-1].lstrip('\\n') %}
{%- endif %}
{%- if loop.index0 > ns.last and (loop.last or why) %}(a)<think>\\n{{ why.strip('\\n') }}\\n</think>{{ text }}
{% else %}(a){{ text }}
{% endif %}
{%- else %}({{ m.role[0] }}){{ text }}
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}(a){% if enable_thinking is defined and enable_thinking is false %}<think></think>{% endif %}{% endif %}""",
    "macro and date": """{%- macro turn(role, text, end=eos_token) -%}
<{{ role|upper }} {{ kwargs|length }}>{{ text|trim|default('nothing', true) }}{{ end }}
{%- endmacro -%}
{{ strftime_now("%d %b %Y, %A %-d %B, %j") }}
{% for m in messages -%}
{{ turn(m['role'], m['content'] if m['content'] is string else m['content'][0]['text'], extra=1) }}
{%- if loop.nextitem is defined %}>{{ loop.nextitem.role }}{% endif %}
{%- if loop.previtem %}<{{ loop.previtem.role }}{% endif %}{{ loop.cycle(' odd', ' even') }}
{% else %}nothing was said
{% endfor %}
{%- call(x) turn('end', 'x') %}{{ x }}{% endcall -%}""",
    "json": "{{ messages | tojson }}\n{{- messages | tojson(indent=2) }}{% for m in messages %}{% for k, v in m.items() %}{{ k }}={{ v }};"
            "{% endfor %}{% for k, v in m|dictsort(reverse=true) %}{{ k }}{% if loop.last %}.{% endif %}{% endfor %}{% endfor %}{{ messages }}",
    "filters": "{% for role in messages|map(attribute='role')|unique|list|sort %}{{ role|title }} {% endfor %}"
               "{{ messages|selectattr('role', 'equalto', 'user')|list|length }} of {{ messages|length }}; "
               "{{ (messages|rejectattr('role', 'in', ['user', 'system'])|list|last).role|default('none') }}"
               "{% filter upper %}ß{{ messages|first }}{% endfilter %}{% set x | replace('a', 'A') %}{{ messages|last }}{% endset %}{{ x }}",
    "spaces": "  {% if true %}  \n   kept\n   {%- if true -%}   \n x \n{%+ endif +%} \n {# note #}\n{% endif %}  \t{# a -#}  b\n\n{% raw %}\n {{ x }}"
              "{% endraw %}\n{{- '' }}\n\t{% set y = 1 %}\n{{ y }}\n  {%- for i in range(2) %}\n  {{ i }}\n  {%- endfor %}\n\n",
    "loops": "{% for m in messages if m.role != 'system' %}{% if loop.index > 3 %}{% break %}{% endif %}{% if m.content == '' %}{% continue %}"
             "{% endif %}{{ loop.revindex }}{{ m.content }}|{% else %}none{% endfor %}{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}"
             "{{ '%s' if false else dict(a=1, **{'b': [2, none, 1.0, 1e16, 'q']}) }}{{ (1, 2.5)[::-1] }}{{ 7 // -2 }}{{ -7 % 3 }}{{ 2 ** 10 / 4 }}",
    "generation": "{% for m in messages %}{{ '<' + m.role + '>' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<end>"
                  "{% endgeneration %}{% else %}{{ m.content }}<end>{% endif %}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
}


def main():
    oracle = Oracle()
    chats = []
    for name, text in TEMPLATES.items():
        for case in template_cases.CASES:
            spans = name == "generation" and not case["continue_final_message"]
            answer = oracle.apply(text, case, TOKENS, spans)
            if spans and "text" in answer:  # characters -> bytes
                answer["spans"] = [[len(answer["text"][:i].encode()) for i in span] for span in answer["spans"]]
            elif "text" in answer:
                answer.pop("spans")
            chats.append({"template": name, "case": case["name"], **({"error": True} if "error" in answer else answer)})
    samples = []
    for request in template_grammar.samples(500, 77):
        answer = oracle.render(request["template"], request["variables"])
        if len(answer.get("text", "")) < 400 and not answer.get("error", "").startswith("TemplateAssertionError"):
            samples.append({"template": request["template"], **({"error": True} if "error" in answer else answer)})
    golden = {"tokens": TOKENS, "templates": TEMPLATES, "cases": {c["name"]: c for c in template_cases.CASES}, "chats": chats,
              "refusals": template_grammar.REFUSALS, "variables": template_grammar.VARIABLES, "samples": samples}
    file = os.path.join(os.path.dirname(__file__), "..", "model", "golden", "templates.json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump(golden, out, ensure_ascii=False, indent=0)
        out.write("\n")


main()
