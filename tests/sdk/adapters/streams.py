"""The table of scripted streams: what a provider sends, how the caller reads it, and what is logged of it."""

from dataclasses import dataclass, field
from typing import Any

from .interfaces import CHAT, GEMINI, MESSAGES_OF_ANTHROPIC, RESPONSES
from .scripted_provider import DONE, Frame, Script

REQUEST = ("llm_request_started",)
WHOLE = (*REQUEST, "stream_started", "stream_completed", "llm_request_completed")
LEFT = (*REQUEST, "stream_started", "stream_cancelled")
FAILED = (*LEFT, "llm_request_failed")
UNSTARTED = (*REQUEST, "llm_request_failed")
REFUSED = (*REQUEST, "stream_started", "stream_completed", "llm_request_failed")


@dataclass(frozen=True)
class Row:
    """`most`: the caller leaves after so many chunks, at the model's last one if it is -1. `calls`: names and arguments of tools.

    `cost` is an amount and its unit, None if there is none; `marks` are members of its metadata.
    """

    name: str
    dialect: str
    script: Script
    events: tuple[str, ...] = WHOLE
    cost: tuple[str, str] | None = ("0.00007", "USD")
    most: int | None = None
    text: str | None = "Hello"
    calls: tuple[tuple[str, Any], ...] = ()
    marks: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)


# Chat completions: 4 tokens in and 6 out of gpt-4o, at 2.50 and 10 USD.
USAGE = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
NULLS: dict[str, Any] = dict.fromkeys(USAGE)


def chunk(delta: Any = None, finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [choice], **more}


def say(text: str, **more: Any) -> dict[str, Any]:
    return chunk({"content": text}, **more)


def call(index: int, id: str | None, name: str | None, arguments: str | None) -> dict[str, Any]:
    piece = {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return chunk({"tool_calls": [piece]})


STOP = chunk({}, "stop")
TOOLS = chunk({}, "tool_calls")


def chat(
    name: str,
    *frames: Frame,
    usage: dict[str, Any] | None = USAGE,
    is_cut: bool = False,
    end: Frame | None = DONE,
    **expected: Any,
) -> Row:
    return Row(name, "chat", Script((*frames, *([end] if end and not is_cut else [])), usage, is_cut), **expected)


CHAT_ROWS = [
    chat("plain", say("Hel"), say("lo"), STOP),
    chat("null usage in every chunk", say("Hel", usage=NULLS), say("lo", usage=NULLS), chunk({}, "stop", usage=NULLS)),
    chat("usage of nulls at the end", say("Hello"), STOP, usage=NULLS, cost=None),
    chat("usage beside the last choice", say("Hello"), chunk({}, "stop", usage=USAGE), usage=None),
    chat("usage in every chunk", say("Hello", usage=USAGE), chunk({}, "stop", usage=USAGE), usage=None),
    chat("no finish reason", say("Hello")),
    chat("null delta", chunk(None), say("Hello"), STOP),
    chat("missing delta", {**STOP, "choices": [{"index": 0}]}, say("Hello"), STOP),
    chat("null choices", {**STOP, "choices": None}, say("Hello"), STOP),
    chat("no choices", {k: v for k, v in STOP.items() if k != "choices"}, say("Hello"), STOP),
    chat("empty choices first, as Azure", {**STOP, "choices": [], "prompt_filter_results": []}, say("Hello"), STOP),
    chat("null content", chunk({"role": "assistant", "content": None}), say("Hello"), STOP),
    chat("an index of null", {**STOP, "choices": [{"index": None, "delta": {"content": "Hello"}}]}, STOP),
    chat(
        "parallel tools",
        call(0, "a", "f", '{"x":'), call(1, "b", "g", "{}"), call(0, None, None, "1}"), TOOLS,
        text=None, calls=(("f", {"x": 1}), ("g", {})),
    ),
    chat(
        "parallel tools of one index",
        call(0, "a", "f", '{"x":1}'), call(0, "b", "g", "{"), call(0, "b", None, "}"), TOOLS,
        text=None, calls=(("f", {"x": 1}), ("g", {})),
    ),
    chat("a tool without arguments", call(0, "a", "f", None), TOOLS, text=None, calls=(("f", {}),)),
    chat("a tool without a function", chunk({"tool_calls": [{"index": 0, "id": "a", "function": None}]}), TOOLS, text=None, calls=(("unknown", {}),)),
    chat("arguments that are no JSON", call(0, "a", "f", "{oops"), TOOLS, text=None, calls=(("f", {"text": "{oops"}),)),
    chat("a refusal", chunk({"refusal": "Hello"}), STOP),
    chat("two choices", say("Hello"), say("Bye", index=1), STOP, chunk({}, "stop", 1)),
    chat("reasoning that other providers add", chunk({"reasoning_content": "Hm"}), say("Hello"), STOP),
    chat("comments between", ": ping\n\n", say("Hello"), ": ping\n\n", STOP),
    chat("characters that JSON cannot hold", 'data: {"id":"c","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"a\\u0000\\ud800"}}]}\n\n', STOP, text="a\ufffd\ufffd"),
    chat("an error in the middle", say("Hel"), {"error": {"message": "overloaded"}}, events=FAILED, cost=None, text=None),
    chat("broken JSON in the middle", say("Hel"), "data: {oops\n\n", events=FAILED, cost=None, text=None),
    chat("a cut connection", say("Hel"), is_cut=True, usage=None, events=FAILED, cost=None, text=None),
    chat("a cut before anything", is_cut=True, usage=None, events=FAILED, cost=None, text=None),
    chat("a cut after the finish reason", say("Hello"), STOP, is_cut=True, usage=None, events=FAILED, cost=None, text=None),
    chat("a cut after the usage", say("Hello"), STOP, is_cut=True, events=FAILED, text=None, marks={"incomplete": True}),
    chat("left in the middle", say("Hel"), say("lo"), STOP, most=1, events=LEFT, cost=None, text=None),
    chat("left at the finish reason", say("Hello"), STOP, most=-1, cost=("0", "USD"), marks={"incomplete": True}),
    chat("nothing but the end", text=None, usage=None, cost=None),
    chat("nothing at all", text=None, usage=None, end=None, cost=None),
    chat("no end", say("Hello"), STOP, end=None),
    chat("cached tokens", say("Hello"), STOP, usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 2}}, cost=("0.0000675", "USD")),
    chat("cached tokens as DeepSeek has them", say("Hello"), STOP, usage={**USAGE, "prompt_cache_hit_tokens": 2}, cost=("0.0000675", "USD")),
    chat("details of null", say("Hello"), STOP, usage={**USAGE, "prompt_tokens_details": None, "completion_tokens_details": None}),
    chat("reasoning beside the completion, as Grok", say("Hello"), STOP, usage={**USAGE, "total_tokens": 12}, cost=("0.00009", "USD")),
    chat("the fast mode", say("Hello", service_tier="priority"), STOP, usage=None, cost=None),
    chat("an unknown tier", say("Hello"), chunk({}, "stop", usage=USAGE, service_tier="scale"), usage=None, cost=("10", "tokens")),
    chat("the fast tier", say("Hello"), chunk({}, "stop", usage=USAGE, service_tier="priority"), usage=None, cost=("0.000119", "USD")),
    chat("sound", say("Hello"), STOP, usage={**USAGE, "prompt_tokens_details": {"audio_tokens": 2}}, cost=("10", "tokens")),
    chat("a model of null", say("Hello", model=None), {**STOP, "model": None}),
    chat("usage that the caller asked for", say("Hello"), STOP, arguments={"stream_options": {"include_usage": True}}),
    chat("usage asked for by the body", say("Hello"), STOP, arguments={"extra_body": {"stream_options": {"include_usage": True}}}),
    chat("other options in the body", say("Hello"), STOP, arguments={"extra_body": {"stream_options": {"include_obfuscation": False}}}),
    chat("usage that the caller does not want", say("Hello"), STOP, cost=None, arguments={"stream_options": {"include_usage": False}}),
]  # fmt: skip


# Responses
INPUT = {"input_tokens": 4, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 6, "total_tokens": 10}


def answer(status: str = "completed", usage: Any = INPUT, **more: Any) -> dict[str, Any]:
    head = {"id": "r", "object": "response", "created_at": 1, "model": "gpt-4o", "status": status, "usage": usage}
    return {**head, "output": [], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], **more}


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "sequence_number": 1, **more}


def part(text: str, kind: str = "output_text") -> dict[str, Any]:
    return event(f"{kind}.delta", item_id="m", output_index=0, content_index=0, delta=text, logprobs=[])


def item(**members: Any) -> dict[str, Any]:
    return event("output_item.done", output_index=0, item={"id": "i", "status": "completed", **members})


CREATED = event("created", response=answer("in_progress", None))
COMPLETED = event("completed", response=answer())


def responses(name: str, *frames: Frame, is_cut: bool = False, **expected: Any) -> Row:
    return Row(name, "responses", Script(frames, is_cut=is_cut), **expected)


RESPONSES_ROWS = [
    responses("plain", CREATED, part("Hel"), part("lo"), COMPLETED),
    responses("usage of null", CREATED, part("Hello"), event("completed", response=answer(usage=None)), cost=None),
    responses("incomplete", part("Hello"), event("incomplete", response=answer("incomplete", incomplete_details={"reason": "max_output_tokens"}))),
    responses("failed", part("Hel"), event("failed", response=answer("failed", error={"code": "server_error", "message": "No"})), events=REFUSED, text=None),
    responses("an error event", part("Hel"), {"type": "error", "code": "x", "message": "No", "param": None, "sequence_number": 2}, events=REFUSED, cost=None, text=None),
    responses("a refusal", part("Hello", "refusal"), COMPLETED),
    responses("a tool", item(type="function_call", call_id="a", name="f", arguments='{"x":1}'), COMPLETED, text=None, calls=(("f", {"x": 1}),)),
    responses("a custom tool", item(type="custom_tool_call", call_id="a", name="f", input="go"), COMPLETED, text=None, calls=(("f", {"text": "go"}),)),
    responses("an item of null", event("output_item.done", output_index=0, item=None), part("Hello"), COMPLETED),
    responses("an unknown event", event("something.new", data=1), part("Hello"), COMPLETED),
    responses("a cut connection", CREATED, part("Hel"), is_cut=True, events=FAILED, cost=None, text=None),
    responses("left in the middle", CREATED, part("Hel"), COMPLETED, most=2, events=LEFT, cost=None, text=None),
    responses("left at the end", CREATED, part("Hello"), COMPLETED, most=3),
    responses("cached tokens", part("Hello"), event("completed", response=answer(usage={**INPUT, "input_tokens_details": {"cached_tokens": 2}})), cost=("0.0000675", "USD")),
    responses("details of null", part("Hello"), event("completed", response=answer(usage={**INPUT, "input_tokens_details": None}))),
    responses("the flex tier, without a price", part("Hello"), event("completed", response=answer(service_tier="flex")), cost=("10", "tokens"), marks={"modifiers": ["flex"]}),
    responses(
        "a search on the web, without a price",
        part("Hello"), event("completed", response=answer(output=[{"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search", "query": "x"}}])),
        marks={"tools": {"web_search": 1}, "not_included": ["web_search"]},
    ),
    responses("no end event", CREATED, part("Hello"), cost=None),
    responses("queued first", event("queued", response=answer("queued", None)), event("in_progress", response=answer("in_progress", None)), part("Hello"), COMPLETED),
    responses("a summary of reasoning", event("reasoning_summary_text.delta", item_id="r", output_index=0, summary_index=0, delta="Hm"), part("Hello"), COMPLETED),
    responses("arguments in pieces", event("function_call_arguments.delta", item_id="i", output_index=0, delta="{}"), item(type="function_call", call_id="a", name="f", arguments="{}"), COMPLETED, text=None, calls=(("f", {}),)),
    responses("parallel tools of one index", *(item(type="function_call", call_id=name, name=name, arguments="{}") for name in "fg"), COMPLETED, text=None, calls=(("f", {}), ("g", {}))),
    responses("a tool without arguments", item(type="function_call", call_id="a", name="f", arguments=""), COMPLETED, text=None, calls=(("f", {}),)),
    responses("arguments that are no JSON", item(type="function_call", call_id="a", name="f", arguments="{oops"), COMPLETED, text=None, calls=(("f", {"text": "{oops"}),)),
    responses("a tool without a name", item(type="function_call", call_id="a", name=None, arguments="{}"), COMPLETED, text=None, calls=(("unknown", {}),)),
    responses("a delta of null", part(None), part("Hello"), COMPLETED),
    responses("a missing delta", event("output_text.delta", item_id="m"), part("Hello"), COMPLETED),
    responses("a response of null", part("Hello"), event("completed", response=None), cost=None),
    responses("completed twice", part("Hello"), COMPLETED, COMPLETED),
    responses("an annotation", part("Hello"), event("output_text.annotation.added", item_id="m", output_index=0, content_index=0, annotation_index=0, annotation={}), COMPLETED),
    responses("comments between", ": ping\n\n", part("Hello"), ": ping\n\n", COMPLETED),
    responses("a mark at the end, as of chat", part("Hello"), COMPLETED, DONE),
    responses("characters that JSON cannot hold", 'data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"m","output_index":0,"content_index":0,"delta":"a\\u0000\\ud800"}\n\n', COMPLETED, text="a\ufffd\ufffd"),
    responses("broken JSON in the middle", part("Hel"), "data: {oops\n\n", events=FAILED, cost=None, text=None),
    responses("a cut before anything", is_cut=True, events=FAILED, cost=None, text=None),
    responses("a cut after the end", part("Hello"), COMPLETED, is_cut=True, events=FAILED, text=None, marks={"incomplete": True}),
    responses("nothing at all", text=None, cost=None),
    responses("left before anything", CREATED, part("Hello"), COMPLETED, most=0, events=LEFT, cost=None, text=None),
    responses("the fast tier", part("Hello"), event("completed", response=answer(service_tier="priority")), cost=("0.000119", "USD")),
    responses("a tier of null", part("Hello"), event("completed", response=answer(service_tier=None))),
    responses("a model of null", part("Hello"), event("completed", response=answer(model=None))),
]  # fmt: skip


# Messages: 4 tokens in and 6 out of claude-opus-5, at 5 and 25 USD.
def start(**usage: Any) -> dict[str, Any]:
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude-opus-5", "content": [], "stop_reason": None}
    counted = {"input_tokens": 4, "output_tokens": 1, **usage}
    return {"type": "message_start", "message": {**message, "stop_sequence": None, "usage": counted}}


def block(index: int = 0, kind: str = "text", **members: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **members}}


def piece(text: str, index: int = 0, kind: str = "text_delta", member: str = "text") -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, member: text}}


def arguments(text: str, index: int = 0) -> dict[str, Any]:
    return piece(text, index, "input_json_delta", "partial_json")


def tool(name: str, index: int = 0) -> dict[str, Any]:
    return block(index, "tool_use", id=f"id_{name}", name=name, input={})


def end(reason: str | None = "end_turn", **usage: Any) -> dict[str, Any]:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": {"output_tokens": 6, **usage},
    }


BLOCK, BLOCK_STOP, END = block(text=""), {"type": "content_block_stop", "index": 0}, {"type": "message_stop"}
HELLO = (BLOCK, piece("Hel"), piece("lo"), BLOCK_STOP)
TOTAL = ("0.00017", "USD")
COMPACTION = {
    "type": "compaction",
    "input_tokens": 100,
    "output_tokens": 10,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
}
ADVICE = {**COMPACTION, "type": "advisor_message", "model": "claude-haiku-4-5"}


def messages(name: str, *frames: Frame, is_cut: bool = False, cost: Any = TOTAL, **expected: Any) -> Row:
    return Row(name, "messages", Script(frames, is_cut=is_cut), cost=cost, **expected)


MESSAGES_ROWS = [
    messages("plain", start(), *HELLO, end(), END),
    messages("pings between", start(), {"type": "ping"}, *HELLO, {"type": "ping"}, end(), END),
    messages("nulls in the usage of the end", start(), *HELLO, end(input_tokens=None, cache_read_input_tokens=None, server_tool_use=None), END),
    messages("no usage at the end", start(), *HELLO, {k: v for k, v in end().items() if k != "usage"}, END, cost=("0.000045", "USD")),
    messages("usage of null at the start", {**start(), "message": {**start()["message"], "usage": None}}, *HELLO, end(input_tokens=4), END),
    messages("a tool", start(), tool("f"), arguments('{"x":'), arguments("1}"), BLOCK_STOP, end("tool_use"), END, text=None, calls=(("f", {"x": 1}),)),
    messages("parallel tools", start(), tool("f"), arguments("{}"), tool("g", 1), arguments("{}", 1), end("tool_use"), END, text=None, calls=(("f", {}), ("g", {}))),
    messages("parallel tools of one index", start(), tool("f"), arguments('{"x":1}'), tool("g"), arguments("{}"), end("tool_use"), END, text=None, calls=(("f", {"x": 1}), ("g", {}))),
    messages("thinking", start(), block(kind="thinking", thinking="", signature=""), piece("Hm", kind="thinking_delta", member="thinking"), BLOCK_STOP, block(1, text=""), piece("Hello", 1), end(), END),
    messages("an unknown delta", start(), BLOCK, piece("x", kind="new_delta"), piece("Hello"), end(), END),
    messages("text in the start of a block", start(), block(text="Hel"), piece("lo"), end(), END),
    messages("an error in the middle", start(), BLOCK, piece("Hel"), {"type": "error", "error": {"type": "overloaded_error", "message": "No"}}, events=FAILED, cost=("0.000045", "USD"), text=None, marks={"incomplete": True}),
    messages("a cut connection", start(), BLOCK, piece("Hel"), is_cut=True, events=FAILED, cost=("0.000045", "USD"), text=None, marks={"incomplete": True}),
    messages("left in the middle", start(), *HELLO, end(), END, most=3, events=LEFT, cost=("0.000045", "USD"), text=None, marks={"incomplete": True}),
    messages("left at the stop reason", start(), *HELLO, end(), END, most=6),
    messages("cached tokens", start(cache_read_input_tokens=100, cache_creation_input_tokens=200, cache_creation={"ephemeral_1h_input_tokens": 100, "ephemeral_5m_input_tokens": 100}), *HELLO, end(), END, cost=("0.001845", "USD")),
    messages("cached tokens again at the end", start(cache_read_input_tokens=100), *HELLO, end(input_tokens=4, cache_read_input_tokens=100, cache_creation_input_tokens=0), END, cost=("0.00022", "USD")),
    messages("the fast mode", start(speed="fast"), *HELLO, end(), END, cost=("0.00034", "USD"), marks={"modifiers": ["fast"]}),
    messages("in the USA", start(inference_geo="us"), *HELLO, end(), END, cost=("0.000187", "USD")),
    messages("anywhere", start(inference_geo="global", service_tier="standard", speed="standard"), *HELLO, end(), END),
    messages("a batch in the USA", start(inference_geo="us", service_tier="batch"), *HELLO, end(), END, cost=("0.0000935", "USD")),
    messages("a tier without a price", start(service_tier="priority"), *HELLO, end(), END, cost=("10", "tokens")),
    messages("ten searches on the web", start(), *HELLO, end(server_tool_use={"web_search_requests": 10, "web_fetch_requests": 1}), END, cost=("0.10017", "USD")),
    messages("compaction", start(), *HELLO, end(iterations=[COMPACTION]), END, cost=("0.00092", "USD")),
    messages("advice of another model", start(), *HELLO, end(iterations=[ADVICE]), END, cost=("0.00032", "USD")),
    messages("no end event", start(), *HELLO, end()),
    messages("no end of the block", start(), BLOCK, piece("Hello"), end(), END),
    messages("a refusal", start(), *HELLO, end("refusal"), END),
    messages("a stop reason of null", start(), *HELLO, end(None), END),
    messages("two ends, of which the last one counts", start(), *HELLO, end(output_tokens=3), end(), END),
    messages("a tool without arguments", start(), tool("f"), BLOCK_STOP, end("tool_use"), END, text=None, calls=(("f", {}),)),
    messages("arguments that are no JSON", start(), tool("f"), arguments("{oops"), BLOCK_STOP, end("tool_use"), END, text=None, calls=(("f", {"text": "{oops"}),)),
    messages("arguments in the start of a block", start(), block(kind="tool_use", id="a", name="f", input={"x": 1}), BLOCK_STOP, end("tool_use"), END, text=None, calls=(("f", {"x": 1}),)),
    messages("thinking that is hidden", start(), block(kind="redacted_thinking", data="x"), BLOCK_STOP, block(1, text=""), piece("Hello", 1), end(), END),
    messages("a signature", start(), block(kind="thinking", thinking="", signature=""), piece("x", kind="signature_delta", member="signature"), BLOCK_STOP, block(1, text=""), piece("Hello", 1), end(), END),
    messages("an unknown event", start(), {"type": "something_new", "data": 1}, *HELLO, end(), END),
    messages("an unknown block", start(), block(kind="something_new"), BLOCK_STOP, *HELLO, end(), END),
    messages("comments between", start(), ": ping\n\n", *HELLO, ": ping\n\n", end(), END),
    messages("characters that JSON cannot hold", start(), BLOCK, 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\\u0000\\ud800"}}\n\n', end(), END, text="a\ufffd\ufffd"),
    messages("broken JSON in the middle", start(), BLOCK, "event: content_block_delta\ndata: {oops\n\n", events=FAILED, cost=("0.000045", "USD"), text=None, marks={"incomplete": True}),
    messages("a cut before anything", is_cut=True, events=FAILED, cost=None, text=None),
    messages("a cut after the usage", start(), *HELLO, end(), is_cut=True, events=FAILED, text=None, marks={"incomplete": True}),
    messages("nothing at all", text=None, cost=None),
    messages("left before anything", start(), *HELLO, end(), END, most=0, events=LEFT, cost=None, text=None),
]  # fmt: skip


# Gemini: 4 tokens in and 6 out of gemini-2.5-flash, at 0.30 and 2.50 USD.
COUNTED = {"promptTokenCount": 4, "candidatesTokenCount": 6, "totalTokenCount": 10}


def partial(*parts: dict[str, Any], finish: str | None = None, usage: Any = None, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    whole = {"candidates": [{**candidate, **({"finishReason": finish} if finish else {})}], "modelVersion": "gemini-2.5-flash"}
    return {**whole, "responseId": "g", **({"usageMetadata": usage} if usage else {}), **more}


LAST = partial({"text": "lo"}, finish="STOP", usage=COUNTED)


def gemini(name: str, *frames: Frame, is_cut: bool = False, cost: Any = ("0.0000162", "USD"), **expected: Any) -> Row:
    return Row(name, "gemini", Script(frames, is_cut=is_cut), cost=cost, **expected)


GEMINI_ROWS = [
    gemini("plain", partial({"text": "Hel"}), LAST),
    gemini("usage in every chunk", partial({"text": "Hel"}, usage={"promptTokenCount": 4}), LAST),
    gemini("no usage", partial({"text": "Hello"}, finish="STOP"), cost=None),
    gemini("no candidates", {"modelVersion": "gemini-2.5-flash"}, partial({"text": "Hel"}), LAST),
    gemini("content of null", {"candidates": [{"content": None, "index": 0}]}, partial({"text": "Hel"}), LAST),
    gemini("thoughts", partial({"text": "Hm", "thought": True}), partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "thoughtsTokenCount": 4}), cost=("0.0000262", "USD")),
    gemini("parallel functions", partial({"functionCall": {"name": "f", "args": {"x": 1}}}, {"functionCall": {"name": "g"}}, finish="STOP", usage=COUNTED), text=None, calls=(("f", {"x": 1}), ("g", {}))),
    gemini("cached tokens", partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "cachedContentTokenCount": 2}), cost=("0.00001566", "USD")),
    gemini("sound", partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 4}]}), cost=("10", "tokens")),
    gemini("an error in the middle", partial({"text": "Hel"}), {"error": {"code": 503, "status": "UNAVAILABLE", "message": "No"}}, events=FAILED, cost=None, text=None),
    gemini("left in the middle", partial({"text": "Hel"}), LAST, most=1, events=LEFT, cost=None, text=None),
    gemini("left at the end", partial({"text": "Hel"}), LAST, most=2),
    gemini("left before anything", partial({"text": "Hel"}), LAST, most=0, events=(), cost=None, text=None),  # Not even asked for.
    gemini("left although each chunk has usage", partial({"text": "Hel"}, usage=COUNTED), LAST, most=1, events=LEFT, text=None, marks={"incomplete": True}),
    gemini("parts of null", {"candidates": [{"content": {"role": "model", "parts": None}}]}, partial({"text": "Hel"}), LAST),
    gemini("no parts", partial(), partial({"text": "Hel"}), LAST),
    gemini("candidates of null", {"candidates": None}, partial({"text": "Hel"}), LAST),
    gemini("a candidate without content", {"candidates": [{"index": 0}]}, partial({"text": "Hel"}), LAST),
    gemini("text of null", partial({"text": None}), partial({"text": "Hel"}), LAST),
    gemini("two candidates", {**LAST, "candidates": [*partial({"text": "Hello"}, finish="STOP")["candidates"], {"index": 1, "content": {"parts": [{"text": "Bye"}]}}]}),
    gemini("usage of nulls", partial({"text": "Hello"}, finish="STOP", usage=dict.fromkeys(COUNTED)), cost=None),
    gemini("usage in the first chunk alone", partial({"text": "Hel"}, usage=COUNTED), partial({"text": "lo"}, finish="STOP")),
    gemini("details of null", partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "promptTokensDetails": None, "candidatesTokensDetails": None})),
    gemini("details of text", partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4}]})),
    gemini("a picture", partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 4}]})),
    gemini("sound in the answer", partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 6}]}), cost=("10", "tokens")),
    gemini("tokens for tools", partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "toolUsePromptTokenCount": 2}), cost=("0.0000168", "USD")),
    gemini("on demand", partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "trafficType": "ON_DEMAND"})),
    gemini("bought throughput, without a price", partial({"text": "Hello"}, finish="STOP", usage={**COUNTED, "trafficType": "PROVISIONED_THROUGHPUT"}), cost=("10", "tokens")),
    gemini("a model with its folder", {**partial({"text": "Hel"}), "modelVersion": "models/gemini-2.5-flash"}, LAST),
    gemini("a model of null", {**partial({"text": "Hello"}, finish="STOP", usage=COUNTED), "modelVersion": None}),
    gemini("the most tokens", partial({"text": "Hello"}, finish="MAX_TOKENS", usage=COUNTED)),
    gemini("stopped for safety", {"candidates": [{"finishReason": "SAFETY", "index": 0}], "modelVersion": "gemini-2.5-flash", "usageMetadata": COUNTED}, text=None),
    gemini("a question that is refused", {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "gemini-2.5-flash", "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4}}, text=None, cost=("0.0000012", "USD")),
    gemini("a function in each chunk", partial({"functionCall": {"name": "f", "args": {"x": 1}}}), partial({"functionCall": {"name": "g", "args": {}}}, finish="STOP", usage=COUNTED), text=None, calls=(("f", {"x": 1}), ("g", {}))),
    gemini("a function with an id", partial({"functionCall": {"id": "a", "name": "f", "args": None}}, finish="STOP", usage=COUNTED), text=None, calls=(("f", {}),)),
    gemini("a function without a name", partial({"functionCall": {}}, finish="STOP", usage=COUNTED), text=None, calls=(("unknown", {}),)),
    gemini("text and a function", partial({"text": "Hello"}, {"functionCall": {"name": "f"}}, finish="STOP", usage=COUNTED), calls=(("f", {}),)),
    gemini("a signature of thoughts", partial({"text": "Hello", "thoughtSignature": "aGk="}, finish="STOP", usage=COUNTED)),
    gemini("code and its result", partial({"executableCode": {"language": "PYTHON", "code": "1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}, {"text": "Hello"}, finish="STOP", usage=COUNTED)),
    gemini("data beside the text", partial({"inlineData": {"mimeType": "image/png", "data": "aGk="}}, {"text": "Hello"}, finish="STOP", usage=COUNTED)),
    gemini("sources", {**LAST, "candidates": [{**partial({"text": "Hello"}, finish="STOP")["candidates"][0], "groundingMetadata": {"webSearchQueries": ["x"]}}]}),
    gemini("comments between, which its package does not read", ": ping\n\n", partial({"text": "Hel"}), LAST, events=UNSTARTED, cost=None, text=None),
    gemini("characters that JSON cannot hold", 'data: {"candidates":[{"content":{"parts":[{"text":"a\\u0000b"}]}}],"modelVersion":"gemini-2.5-flash"}\n\n', LAST, text="a\ufffdblo"),
    gemini("an error first", {"error": {"code": 503, "status": "UNAVAILABLE", "message": "No"}}, events=UNSTARTED, cost=None, text=None),
    gemini("broken JSON in the middle", partial({"text": "Hel"}), "data: {oops\n\n", events=FAILED, cost=None, text=None),
    gemini("a cut connection", partial({"text": "Hel"}), is_cut=True, events=FAILED, cost=None, text=None),
    gemini("a cut before anything", is_cut=True, events=UNSTARTED, cost=None, text=None),
    gemini("a cut after the usage", partial({"text": "Hel"}), LAST, is_cut=True, events=FAILED, text=None, marks={"incomplete": True}),
    gemini("nothing at all", text=None, cost=None),
]  # fmt: skip

ROWS = [*CHAT_ROWS, *RESPONSES_ROWS, *MESSAGES_ROWS, *GEMINI_ROWS]
INTERFACE_OF = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES_OF_ANTHROPIC, "gemini": GEMINI}
