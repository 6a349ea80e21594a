// An agent on the official TypeScript client: `node mcp_client.mjs ADDRESS WIRE`. It says what it has asked, and at last what it got.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const [address, wire] = process.argv.slice(2);
const headers = { "X-API-Key": "dev-user-key", "X-Agent-ID": `typescript-${wire}` };
const versionNegotiation = { mode: wire === "2025-11-25" ? "legacy" : { pin: wire } };
const say = (kind, value) => console.log(JSON.stringify({ kind, ...value }));

// A host starts another client when the connection of one has failed, and makes the same call.
async function call(name, args) {
  for (let tries = 1; ; tries++) {
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation });
    try {
      await client.connect(new StreamableHTTPClientTransport(new URL(`${address}/mcp`), { requestInit: { headers } }));
      if (name === undefined) return await client.listTools();
      const found = await client.callTool({ name, arguments: args });
      return found.structuredContent ?? JSON.parse(found.content[0].text);
    } catch (error) {
      if (tries === 4) throw error;
    } finally {
      await client.close().catch(() => {});
    }
  }
}

const { tools } = await call();
const { intents } = await call("create_intents", { intents: [{ title: `Over ${wire}` }] });
const intent_id = intents[0].id;
await call("take_work", { intent_id, version: 1 });
const lease = await call("lease_scope", { intent_id, scope: "content", duration_seconds: 600 });
const { arbitration_id } = await call("ask", { intent_id, question: "Go on?" });
const waiting = Array.from({ length: 6 }, () => call("wait_for_decision", { arbitration_id }));
say("asked", { intent_id, arbitration_id, lease_id: lease.id, tools: tools.map((tool) => tool.name) });
const decisions = (await Promise.all(waiting)).map((each) => each.decision?.decision);
const written = [];
for (let version = 2; version < 5; version++)
  written.push((await call("update_state", { intent_id, version, state: { content: version } })).version);
say("done", { decisions, written });
