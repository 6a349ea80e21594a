"""Fake model provider: a server with the APIs of OpenAI, Anthropic and Gemini. Standard library only.

    python examples/fake_provider.py --port 9100

    export OPENAI_BASE_URL=http://127.0.0.1:9100/v1  OPENAI_API_KEY=fake
    export ANTHROPIC_BASE_URL=http://127.0.0.1:9100  ANTHROPIC_API_KEY=fake
    google.genai.Client(api_key="fake", http_options={"base_url": "http://127.0.0.1:9100"})

or inside a program:

    with FakeProvider() as provider:
        client = OpenAI(base_url=f"{provider.url}/v1", api_key="fake")

It has OpenAI's chat completions (used by Grok and DeepSeek) and responses, Anthropic's messages and Gemini's generateContent, whole
or streamed. A model repeats the prompt, or returns the result of `answer`; with tools, it calls the first one with
arguments generated from its schema, and then repeats the tool's result. Every word is a token. Some model names simulate failures:

    error-500, error-429, …   answers with that status
    slow-200                  pauses 200 ms before each piece of a stream
    broken                    loses the connection in the middle of a stream
"""

import argparse
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlsplit

Body = dict[str, Any]
Tool = tuple[str, Body]
"""A function's name, and the JSON schema of its arguments."""
Piece = tuple[str | None, Body | str]
"""Of a stream: the event's name, where the dialect has names, and its data."""


@dataclass(frozen=True)
class Prompt:
    """A prompt, independent of the API."""

    model: str
    texts: list[str]
    tools: list[Tool] = field(default_factory=list)
    result: str | None = None
    """What the tool said, if that is what was said last."""

    @property
    def last(self) -> str:
        return "".join(self.texts[-1:])


@dataclass(frozen=True)
class Answer:
    """A model's answer: text, or a call of `tool`."""

    model: str
    number: int
    text: str
    tool: Tool | None
    tokens_in: int

    @property
    def words(self) -> list[str]:
        return re.findall(r"\S+\s*", self.arguments if self.tool else self.text)

    @property
    def tokens(self) -> tuple[int, int, int]:
        """Return the input, output and total tokens."""
        return self.tokens_in, len(self.words), self.tokens_in + len(self.words)

    @property
    def arguments(self) -> str:
        return json.dumps(self.tool[1]) if self.tool else ""

    def choose(self, of_tool: Any, of_text: Any) -> Any:
        return of_tool if self.tool else of_text


def echo(prompt: Prompt) -> str:
    return f"The tool said: {prompt.result}" if prompt.result else f"You said: {prompt.last}"


class FakeProvider:
    """A server on a free port of this machine, or on `port`. `requests` has the path and body of each request."""

    def __init__(self, port: int = 0, *, answer: Callable[[Prompt], str] = echo) -> None:
        self.requests: list[tuple[str, Body]] = []
        self.answer = answer
        self.numbers = count(1)
        self._server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"provider": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FakeProvider":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reply(self, prompt: Prompt) -> Answer:
        words_in = len(" ".join(prompt.texts).split())
        if prompt.result is not None or not prompt.tools:
            return Answer(prompt.model, next(self.numbers), self.answer(prompt), None, words_in)
        name, schema = prompt.tools[0]
        return Answer(prompt.model, next(self.numbers), "", (name, arguments_for(schema, prompt.last)), words_in)


def arguments_for(schema: Body, text: str) -> Body:
    """Return a value for each property, of its type."""
    examples: Body = {"string": text, "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    properties = (schema.get("properties") or {}).items()
    return {name: (each.get("enum") or [examples.get(str(each.get("type")).lower(), text)])[0] for name, each in properties}


def text_of(content: Any) -> str:
    """Return the text of a message: a string, or parts some of which are text."""
    if isinstance(content, list):
        return " ".join(text_of(part) for part in content)
    if isinstance(content, dict):
        return text_of(content.get("text") or content.get("content") or content.get("output") or "")
    return str(content or "")


# OpenAI: chat completions
def read_chat(body: Body) -> Prompt:
    messages = body["messages"]
    functions = [tool["function"] for tool in body.get("tools") or [] if tool["type"] == "function"]
    tools = [(function["name"], function.get("parameters") or {}) for function in functions]
    result = text_of(messages[-1]) if messages and messages[-1]["role"] == "tool" else None
    return Prompt(body["model"], [text_of(message) for message in messages], tools, result)


def whole_chat(answer: Answer) -> Body:
    message: Body = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.tool:
        function = {"name": answer.tool[0], "arguments": answer.arguments}
        message["tool_calls"] = [{"id": f"call_{answer.number}", "type": "function", "function": function}]
    choice = {"index": 0, "message": message, "finish_reason": answer.choose("tool_calls", "stop"), "logprobs": None}
    return {**_chat_head(answer, "chat.completion"), "choices": [choice], "usage": _chat_usage(answer)}


def stream_chat(answer: Answer, body: Body) -> Iterator[Piece]:
    def chunk(delta: Body, end: str | None = None) -> Piece:
        choice = {"index": 0, "delta": delta, "finish_reason": end, "logprobs": None}
        return None, {**_chat_head(answer, "chat.completion.chunk"), "choices": [choice]}

    yield chunk({"role": "assistant", "content": None if answer.tool else ""})
    if answer.tool:
        function = {"name": answer.tool[0], "arguments": ""}
        yield chunk({"tool_calls": [{"index": 0, "id": f"call_{answer.number}", "type": "function", "function": function}]})
    for word in answer.words:
        call = {"index": 0, "function": {"arguments": word}}
        yield chunk({"tool_calls": [call]} if answer.tool else {"content": word})
    yield chunk({}, answer.choose("tool_calls", "stop"))
    if (body.get("stream_options") or {}).get("include_usage"):
        yield None, {**_chat_head(answer, "chat.completion.chunk"), "choices": [], "usage": _chat_usage(answer)}
    yield None, "[DONE]"


def _chat_head(answer: Answer, kind: str) -> Body:
    return {"id": f"chatcmpl-{answer.number}", "object": kind, "created": int(time.time()), "model": answer.model}


def _chat_usage(answer: Answer) -> Body:
    tokens = zip(("prompt_tokens", "completion_tokens", "total_tokens"), answer.tokens, strict=True)
    return {**dict(tokens), "prompt_tokens_details": {"cached_tokens": 0}}


# OpenAI: responses
def read_responses(body: Body) -> Prompt:
    items = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
    texts = [text_of(each) for each in ({"text": body.get("instructions")}, *items) if text_of(each)]
    tools = [(tool["name"], tool.get("parameters") or {}) for tool in body.get("tools") or [] if tool["type"] == "function"]
    result = text_of(items[-1]) if items and items[-1].get("type") == "function_call_output" else None
    return Prompt(body["model"], texts, tools, result)


def whole_responses(answer: Answer) -> Body:
    tokens = dict(zip(("input_tokens", "output_tokens", "total_tokens"), answer.tokens, strict=True))
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    head = {"id": f"resp_{answer.number}", "object": "response", "created_at": int(time.time()), "model": answer.model}
    asked: Body = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    return {**head, **asked, "status": "completed", "output": [_output_item(answer)], "usage": {**tokens, **details}}


def stream_responses(answer: Answer, body: Body) -> Iterator[Piece]:
    numbers = count()
    item = _output_item(answer)
    at = {"item_id": item["id"], "output_index": 0}

    def event(kind: str, **data: Any) -> Piece:
        return f"response.{kind}", {"type": f"response.{kind}", "sequence_number": next(numbers), **data}

    begun: Body = {"status": "in_progress", "output": [], "usage": None}
    yield event("created", response={**whole_responses(answer), **begun})
    empty: Body = answer.choose({"arguments": ""}, {"content": []})
    yield event("output_item.added", output_index=0, item={**item, "status": "in_progress", **empty})
    if answer.tool:
        for word in answer.words:
            yield event("function_call_arguments.delta", delta=word, **at)
        yield event("function_call_arguments.done", arguments=answer.arguments, name=answer.tool[0], **at)
    else:
        yield event("content_part.added", part=_output_text(""), content_index=0, **at)
        for word in answer.words:
            yield event("output_text.delta", delta=word, logprobs=[], content_index=0, **at)
        yield event("output_text.done", text=answer.text, logprobs=[], content_index=0, **at)
        yield event("content_part.done", part=_output_text(answer.text), content_index=0, **at)
    yield event("output_item.done", output_index=0, item=item)
    yield event("completed", response=whole_responses(answer))


def _output_text(text: str) -> Body:
    return {"type": "output_text", "text": text, "annotations": []}


def _output_item(answer: Answer) -> Body:
    if answer.tool:
        call = {"type": "function_call", "id": f"fc_{answer.number}", "call_id": f"call_{answer.number}"}
        return {**call, "name": answer.tool[0], "arguments": answer.arguments, "status": "completed"}
    message = {"type": "message", "id": f"msg_{answer.number}", "status": "completed", "role": "assistant"}
    return {**message, "content": [_output_text(answer.text)]}


# Anthropic: messages
def read_messages(body: Body) -> Prompt:
    messages = body["messages"]
    parts = messages[-1]["content"] if messages and isinstance(messages[-1]["content"], list) else []
    results = [part for part in parts if part["type"] == "tool_result"]
    texts = [text_of(each) for each in ({"text": body.get("system")}, *messages) if text_of(each)]
    tools = [(tool["name"], tool.get("input_schema") or {}) for tool in body.get("tools") or []]
    return Prompt(body["model"], texts, tools, text_of(results[-1]) if results else None)


def whole_messages(answer: Answer) -> Body:
    head = {"id": f"msg_{answer.number}", "type": "message", "role": "assistant", "model": answer.model}
    end = {"stop_reason": answer.choose("tool_use", "end_turn"), "stop_sequence": None}
    usage = {"input_tokens": answer.tokens[0], "output_tokens": answer.tokens[1]}
    return {**head, "content": [_block(answer)], **end, "usage": usage}


def stream_messages(answer: Answer, body: Body) -> Iterator[Piece]:
    def event(kind: str, **data: Any) -> Piece:
        return kind, {"type": kind, **data}

    begun: Body = {"content": [], "stop_reason": None, "usage": {"input_tokens": answer.tokens[0], "output_tokens": 1}}
    yield event("message_start", message={**whole_messages(answer), **begun})
    empty: Body = answer.choose({"input": {}}, {"text": ""})
    yield event("content_block_start", index=0, content_block={**_block(answer), **empty})
    for word in answer.words:
        delta = answer.choose({"type": "input_json_delta", "partial_json": word}, {"type": "text_delta", "text": word})
        yield event("content_block_delta", index=0, delta=delta)
    yield event("content_block_stop", index=0)
    end = {"stop_reason": answer.choose("tool_use", "end_turn"), "stop_sequence": None}
    yield event("message_delta", delta=end, usage={"output_tokens": answer.tokens[1]})
    yield event("message_stop")


def _block(answer: Answer) -> Body:
    if answer.tool:
        return {"type": "tool_use", "id": f"toolu_{answer.number}", "name": answer.tool[0], "input": answer.tool[1]}
    return {"type": "text", "text": answer.text}


# Gemini: generateContent
def read_gemini(body: Body) -> Prompt:
    contents = body["contents"]
    results = [part["functionResponse"]["response"] for part in contents[-1]["parts"] if "functionResponse" in part]
    declared = [each for tool in body.get("tools") or [] for each in tool.get("functionDeclarations") or []]
    schemas = ("parametersJsonSchema", "parameters_json_schema", "parameters")
    texts = [text_of(each.get("parts")) for each in (body.get("systemInstruction"), *contents) if each]
    tools: list[Tool] = [(each["name"], next((each[name] for name in schemas if each.get(name)), {})) for each in declared]
    return Prompt(body["model"], texts, tools, json.dumps(results[-1]) if results else None)


def whole_gemini(answer: Answer) -> Body:
    part: Body = {"functionCall": {"name": answer.tool[0], "args": answer.tool[1]}} if answer.tool else {"text": answer.text}
    return _gemini(answer, part, end=True)


def stream_gemini(answer: Answer, body: Body) -> Iterator[Piece]:
    pieces = [] if answer.tool else answer.words
    for number, word in enumerate(pieces, 1):
        yield None, _gemini(answer, {"text": word}, end=number == len(pieces))
    if answer.tool:  # Calls come in one piece.
        yield None, whole_gemini(answer)


def _gemini(answer: Answer, part: Body, *, end: bool) -> Body:
    candidate: Body = {"content": {"parts": [part], "role": "model"}, "index": 0}
    usage = {"promptTokenCount": answer.tokens[0], "totalTokenCount": answer.tokens[0]}
    if end:
        candidate["finishReason"] = "STOP"
        usage |= {"candidatesTokenCount": answer.tokens[1], "totalTokenCount": answer.tokens[2]}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": answer.model, "responseId": f"gen-{answer.number}"}


# HTTP
DIALECTS: list[tuple[str, Callable[[Body], Prompt], Callable[[Answer], Body], Callable[[Answer, Body], Iterator[Piece]]]] = [
    (r"/chat/completions$", read_chat, whole_chat, stream_chat),
    (r"/responses$", read_responses, whole_responses, stream_responses),
    (r"/messages$", read_messages, whole_messages, stream_messages),
    (r"/models/(?P<model>[^/:]+):(?P<verb>generateContent|streamGenerateContent)$", read_gemini, whole_gemini, stream_gemini),
]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # The reader has left.
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60.0  # Seconds that an idle connection is kept.
    provider: FakeProvider

    def do_GET(self) -> None:
        models = [{"id": "gpt-4", "object": "model", "created": 0, "owned_by": "fake"}]
        self._send(200, {"object": "list", "data": models, "has_more": False, "first_id": None, "last_id": None})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urlsplit(self.path).path
        self.provider.requests.append((path, body))
        if path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.25, 0.5]}]
            self._send(200, {"object": "list", "model": body["model"], "data": data, "usage": {}})
            return
        for pattern, read, whole, stream in DIALECTS:
            if match := re.search(pattern, path):
                prompt = read(body := {**body, **match.groupdict()})
                if error := re.fullmatch(r"error-(\d+)", prompt.model):
                    self._refuse(int(error[1]))
                elif body.get("stream") or body.get("verb") == "streamGenerateContent":
                    self._stream(prompt.model, stream(self.provider.reply(prompt), body))
                else:
                    self._send(200, whole(self.provider.reply(prompt)))
                return
        self._refuse(404)

    def _send(self, status: int, body: Body) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: int) -> None:
        """Send an error in a format that all clients understand."""
        error = {"type": "fake_error", "code": status, "message": f"You asked for {status}.", "status": "FAKE", "param": None}
        self._send(status, {"type": "error", "error": error})

    def _stream(self, model: str, pieces: Iterator[Piece]) -> None:
        slow = re.fullmatch(r"slow-(\d+)", model)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(OSError):  # The reader has left.
            for number, (name, data) in enumerate(pieces):
                time.sleep(int(slow[1]) / 1000 if slow else 0)
                if model == "broken" and number == 3:
                    self.close_connection = True
                    return
                text = data if isinstance(data, str) else json.dumps(data)
                self._chunk((f"event: {name}\n" if name else "") + f"data: {text}\n\n")
            self._chunk("")

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *_: Any) -> None: ...


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake provider of language models.")
    parser.add_argument("--port", type=int, default=9100)
    with FakeProvider(parser.parse_args().port) as provider, suppress(KeyboardInterrupt):
        print(f"A fake provider listens on {provider.url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
