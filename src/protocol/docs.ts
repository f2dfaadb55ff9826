import {
  agentMessages,
  agentSelectionMessages,
  agentSerialMessages,
  vdAgentMessage,
  vdiChunkHeader,
} from "./agent.ts";
import { baseClient, baseServer } from "./base.ts";
import { channels } from "./channels.ts";
import type { Layout } from "./layout.ts";
import { linkAuthMechanism, linkHeader, linkMess, linkReply, linkResult } from "./link.ts";
import type { MessageTable } from "./message.ts";
import * as qxl from "./qxl.ts";
import * as qxlDraw from "./qxl-draw.ts";
import type { Fields, IntNode, Length, Meaning, SchemaNode, StructNode, VariantNode } from "./schema-node.ts";

/** Structures and enumerations met while writing, which get their own entries. */
interface Glossary {
  readonly types: Map<string, StructNode | VariantNode>;
  readonly meanings: Map<string, Meaning>;
}

/** docs/protocol.md: every message, structure and number of the wire, from the schemas themselves. */
export function protocolDocs(): string {
  const glossary: Glossary = { types: new Map(), meanings: new Map() };
  const own = (table: MessageTable) =>
    Object.fromEntries(Object.entries(table).filter(([, def]) => !baseMessages.has(def)));
  const sections = [
    INTRODUCTION,
    "## Link\n",
    ...[linkHeader, linkMess, linkReply, linkAuthMechanism, linkResult].map((node) =>
      typeEntry(node, glossary),
    ),
    messagesSection(
      "Every channel",
      [
        ["Server", baseServer],
        ["Client", baseClient],
      ],
      glossary,
    ),
    ...channels.map((channel) =>
      messagesSection(
        `Channel ${channel.type}: ${channel.name}`,
        [
          ["Server", own(channel.server)],
          ["Client", own(channel.client)],
        ],
        glossary,
      ),
    ),
    "## Agent\n",
    typeEntry(vdiChunkHeader, glossary),
    typeEntry(vdAgentMessage, glossary),
    messagesSection(
      "Agent messages",
      [
        ["Both", agentMessages],
        ["With CLIPBOARD_SELECTION", agentSelectionMessages],
        ["With CLIPBOARD_SELECTION and CLIPBOARD_GRAB_SERIAL", agentSerialMessages],
      ],
      glossary,
    ),
  ];
  const exported: unknown[] = Object.values({ ...qxl, ...qxlDraw });
  const layouts = exported.filter(isLayout).map(layoutEntry);
  // Writing a type's fields may meet more types: the map grows while it is walked, and is sorted afterwards.
  const types = new Map<string, string>();
  for (const [name, node] of glossary.types) types.set(name, typeEntry(node, glossary));
  const meanings = [...glossary.meanings.values()].map(meaningEntry).toSorted();
  return [
    ...sections,
    "## Types\n",
    ...[...types.values()].toSorted(),
    "## Numbers\n",
    ...meanings,
    "\n## QXL structures\n",
    "In guest memory, packed; `@` is the offset in bytes. A union at the end starts at `u`.\n",
    ...layouts.toSorted(),
  ].join("\n");
}

const baseMessages = new Set<unknown>([...Object.values(baseServer), ...Object.values(baseClient)]);

const INTRODUCTION = `# The wire

Generated from the schemas in \`src/protocol\`; a test holds it current, \`npx vitest run src/protocol/docs.test.ts -u\` renews it.

Integers are little-endian, nothing is aligned. \`*T\` is a u32 offset from the start of the message body to a \`T\`, 0 for null; \`*T!\` must
not be null. \`T[n]\` is an array; \`T[u32]\` has its count in front as a u32; \`T[]\` goes on to the end of the body. \`text\` is UTF-8
with a NUL that its length counts. \`#x\` is the length of field \`x\`. \`if flags & A\` fields are there only with that bit. Bytes behind the
fields of a client's message are ignored, as libspice does.
`;

function messagesSection(
  title: string,
  tables: readonly (readonly [string, MessageTable])[],
  glossary: Glossary,
): string {
  const lines = [`## ${title}\n`];
  for (const [from, table] of tables) {
    const defs = Object.values(table).toSorted((a, b) => a.id - b.id);
    if (defs.length === 0) continue;
    lines.push(`### ${from}\n`, "| # | Message | Body | At most |", "|---|---|---|---|");
    for (const def of defs) {
      const fields = (def.schema as StructNode).fields;
      lines.push(`| ${def.id} | ${def.name} | ${fieldsText(fields, glossary) || "–"} | ${def.maxSize} |`);
    }
    lines.push("");
  }
  return lines.join("\n");
}

function typeEntry(node: SchemaNode, glossary: Glossary): string {
  if (node.kind === "struct") return `### ${node.name}\n\n${fieldsText(node.fields, glossary)}\n`;
  if (node.kind !== "variant") throw new TypeError(`a ${node.kind} has no entry of its own`);
  const tag = node.mask === undefined ? node.tag : `${node.tag} & ${node.mask}`;
  const names = meaningAt(node)?.values ?? {};
  const cases = Object.entries(node.cases).map(([key, fields]) => {
    const name = Object.entries(names).find(([, value]) => value === Number(key))?.[0];
    return `- ${tag} = ${key}${name === undefined ? "" : ` (${name})`}: ${fieldsText(fields, glossary) || "–"}`;
  });
  return `### ${node.name}\n\n${fieldsText(node.common, glossary)}, then\n\n${cases.join("\n")}\n`;
}

/** The meaning of a variant's tag. */
function meaningAt(node: VariantNode): Meaning | undefined {
  let fields = node.common;
  let meaning: Meaning | undefined;
  for (const step of node.tag.split(".")) {
    const field = fields[step];
    if (field.kind === "struct") fields = field.fields;
    else meaning = (field as IntNode).meaning;
  }
  return meaning;
}

function fieldsText(fields: Fields, glossary: Glossary): string {
  return Object.entries(fields)
    .map(([name, node]) =>
      node.kind === "padding" ? `${node.size} unused` : `\`${name}\` ${nodeText(node, glossary)}`,
    )
    .join(", ");
}

function nodeText(node: SchemaNode, glossary: Glossary): string {
  switch (node.kind) {
    case "int":
      if (node.meaning === undefined) return node.type;
      glossary.meanings.set(node.meaning.name, node.meaning);
      return `${node.type} ${node.meaning.name}`;
    case "bigint":
      return node.type;
    case "struct":
    case "variant":
      if (node.name === undefined)
        throw new TypeError("a structure inside of another needs a name to be documented");
      glossary.types.set(node.name, node);
      return node.name;
    case "array":
      return `${nodeText(node.element, glossary)}[${lengthText(node.length)}]`;
    case "bytes":
      return `bytes[${lengthText(node.length)}]`;
    case "text":
      return `text[${lengthText(node.length)}]${node.nul === "after" ? " and a NUL" : ""}`;
    case "pointer":
      return `*${nodeText(node.target, glossary)}${node.nullable ? "" : "!"}`;
    case "when":
      return `${nodeText(node.target, glossary)} if ${node.set ? "" : "not "}${node.field} & ${node.mask}`;
    case "lengthOf":
      return `${node.int.type} #${node.field}`;
    case "padding":
      return "unused";
  }
}

function lengthText(length: Length): string {
  switch (length.from) {
    case "fixed":
      return String(length.count);
    case "prefix":
      return length.int.type;
    case "field":
      return length.field;
    case "rest":
      return "";
    case "image":
      return length.bits === 8
        ? `${length.width} * ${length.height}`
        : `ceil(${length.width} * ${length.bits} / 8) * ${length.height}`;
  }
}

function meaningEntry({ name, values, flags }: Meaning): string {
  const entries = Object.entries(values).map(([key, value]) => `${value} ${key}`);
  return `- **${name}**${flags ? " (bits)" : ""}: ${entries.join(", ")}`;
}

function isLayout(value: unknown): value is Layout<unknown> {
  return typeof value === "object" && value !== null && "offset" in value;
}

function layoutEntry(value: Layout<unknown>): string {
  const offsets: Readonly<Record<string, number>> = value.offset;
  const fields = Object.entries(offsets).map(([name, at]) => `\`${name}\` ${fieldType(value, name)}@${at}`);
  return `- **${value.name}**, ${value.size} bytes: ${fields.join(", ")}`;
}

function fieldType(value: Layout<unknown>, name: string): string {
  const node = value.fields[name];
  if (node === undefined) return "union";
  return node.kind === "padding"
    ? `${node.size} bytes `
    : `${nodeText(node, { types: new Map(), meanings: new Map() })} `;
}
