"""jinja2 as transformers' apply_chat_template runs it, with a fixed date."""
import copy
import datetime
import re
import warnings
from unittest import mock

from transformers.utils import chat_template_utils

NOON = datetime.datetime(2024, 7, 26, 12, 0, 0)


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOON


warnings.simplefilter("ignore", SyntaxWarning)
TAG = "CONTINUE_FINAL_MESSAGE_TAG "


class Oracle:
    def render(self, template, variables):
        """{"text"} or {"error"} of a template with plain variables."""
        with mock.patch.object(chat_template_utils, "datetime", FixedDate):
            try:
                return {"text": chat_template_utils._compile_jinja_template(template).render(**copy.deepcopy(variables))}
            except RecursionError:
                raise
            except Exception as error:
                return {"error": f"{type(error).__name__}: {error}"}

    def chat(self, template, case, tokens):
        """The variables that a template sees for a case, and what comes out. With continue_final_message the variables hold
        transformers' tag, and the answer is the text before it is cut."""
        messages = chat_template_utils._alias_reasoning_fields(chat_template_utils._plain_template_data(case["messages"]))
        if case["continue_final_message"]:
            messages[-1] = {**messages[-1], "content": messages[-1]["content"] + TAG}
        variables = {"messages": messages, "tools": None, "documents": None, "add_generation_prompt": case["add_generation_prompt"],
                     **tokens, **case["variables"]}
        return variables, self.render(template, variables)

    def apply(self, template, case, tokens, spans=False):
        """What apply_chat_template gives, and the generation spans in characters."""
        with mock.patch.object(chat_template_utils, "datetime", FixedDate):
            try:
                rendered, indices = chat_template_utils.render_jinja_template(
                    conversations=[case["messages"]], chat_template=template, add_generation_prompt=case["add_generation_prompt"],
                    continue_final_message=case["continue_final_message"], return_assistant_tokens_mask=spans,
                    **tokens, **case["variables"])
                return {"text": rendered[0], "spans": indices[0] if spans else []}
            except Exception as error:
                return {"error": re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:200]}
