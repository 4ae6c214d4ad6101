import * as z from 'zod';
import {
  BatchJobMovedEvent,
  EbsVolumeNotification,
  type EventContract,
  identity,
  PARAMETERS,
  type Parameter,
  PROBE_DUE,
  REQUESTS,
  RUN_EVENTS,
  STATUSES,
  TRANSITIONS,
} from '../../events';
import { HANDLERS, type Handler } from '../../handlers';

/** What is made from the contracts and the declarations, by its path from the project's root. */
export function generatedFiles(readme: string): ReadonlyMap<string, string> {
  return new Map([
    ['events/README.md', catalogue()],
    ['README.md', withDiagram(readme)],
    ...schemas(),
  ]);
}

const CONTRACTS: readonly EventContract[] = Object.values(RUN_EVENTS);
const BEGIN = '<!-- generated: states -->';
const END = '<!-- /generated -->';

function schemas(): [string, string][] {
  const events = CONTRACTS.map((contract): [string, z.ZodType, string] => [
    contract.type,
    z.object({ ...identity, data: contract.schema }),
    contract.meaning,
  ]);
  const requests = Object.values(REQUESTS).map((request): [string, z.ZodType, string] => [
    request.type,
    request.schema,
    request.meaning,
  ]);
  return [...events, ...requests].map(([type, schema, description]) => {
    // As input: what a sender may leave out, and a reader of a later version may find besides.
    const json = { title: type, description, ...z.toJSONSchema(schema, { io: 'input' }) };
    return [`events/schemas/${type}.json`, `${JSON.stringify(json, null, 2)}\n`];
  });
}

function catalogue(): string {
  return `${[
    '# The events of a run',
    '',
    'Generated from the contracts, the table of transitions and the handlers: `npm run generate`.',
    'JSON Schemas of every detail are in `schemas/`.',
    '',
    'Our events have source `ebbtide` and detail `{ runId, mode, status, seq, time, data }`; `status` is where the run',
    'is after the event, `seq` its place in the run, and the two together with `runId` make it unique. An event only',
    'wakes: who acts on it reads the run first.',
    '',
    '## Requests',
    '',
    ...table(
      ['request', 'means', 'answered by'],
      Object.values(REQUESTS).map((request) => [
        `**${request.type}**`,
        request.meaning,
        listeners(request.type) || 'nobody yet',
      ]),
    ),
    '',
    '## Events',
    '',
    ...table(
      ['event', 'what is true now', 'moves the run', 'data', 'written by', 'wakes'],
      CONTRACTS.map(eventRow),
    ),
    '',
    '## Events of AWS',
    '',
    ...table(
      ['event', 'about', 'wakes'],
      [
        [
          'EBS Volume Notification',
          'a volume, by its id',
          listeners(EbsVolumeNotification.types[0]),
        ],
        [
          'Batch Job State Change',
          'a run, by the name of the job',
          listeners(BatchJobMovedEvent.types[0]),
        ],
      ],
    ),
    '',
    `## ${PROBE_DUE}`,
    '',
    'One timed look at a run, `{ runId, status }`. Not a fact, so in no journal. It wakes who watches the status:',
    '',
    ...table(
      ['status', 'watched by'],
      STATUSES.flatMap((status) => watchers(status)),
    ),
    '',
    '## Parameters',
    '',
    ...table(
      ['parameter', 'what it is', 'must be', 'default', 'modes', 'limits from'],
      parameterRows(),
    ),
  ].join('\n')}\n`;
}

function eventRow(contract: EventContract): string[] {
  const row = TRANSITIONS[contract.type as keyof typeof TRANSITIONS];
  const from = row.from.length === STATUSES.length ? 'any status' : row.from.join(', ');
  return [
    `**${contract.type}**`,
    contract.meaning,
    `${from || 'nothing'}${row.to ? ` → ${row.to}` : ''}`,
    fieldsOf(contract.schema),
    names(HANDLERS.filter(({ emits }) => emits.some(({ type }) => type === contract.type))),
    listeners(contract.type),
  ];
}

function fieldsOf(schema: z.ZodType): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  return Object.keys(properties)
    .map((name) => `\`${name}${required.includes(name) ? '' : '?'}\``)
    .join(' ');
}

function listeners(type: string | undefined): string {
  return names(HANDLERS.filter(({ on }) => type !== undefined && on?.types.includes(type)));
}

function names(handlers: readonly Handler[]): string {
  return handlers.map(({ name }) => name).join(', ');
}

function watchers(status: (typeof STATUSES)[number]): string[][] {
  const own = HANDLERS.filter(({ watches }) => (watches as readonly string[]).includes(status));
  return own.length > 0 ? [[status, names(own)]] : [];
}

function parameterRows(): string[][] {
  const all: [string, Parameter<unknown>][] = Object.entries(PARAMETERS);
  return all.map(([name, parameter]) => {
    const { about, rule, modes, layer, source } = parameter;
    return [
      `\`${name}\``,
      `${about}${layer === 'deploy' ? ' Only in cdk.json.' : ''}`,
      rule,
      defaultOf(parameter),
      modes.length === 3 ? 'all' : modes.join(', '),
      source,
    ];
  });
}

function defaultOf({ default: byMode, modes }: Parameter<unknown>): string {
  if (!byMode) return '';
  const values = new Set(modes.map((mode) => JSON.stringify(byMode(mode))));
  return [...values].join(' / ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** The state diagram of the README, between its two marks. */
function withDiagram(readme: string): string {
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`README.md lacks ${BEGIN} … ${END}`);
  return `${before}${BEGIN}\n\n${diagram()}\n\n${END}${after}`;
}

function diagram(): string {
  const moves = new Map<string, string[]>();
  for (const [type, { from, to }] of Object.entries(TRANSITIONS)) {
    for (const origin of from.length > 0 ? from : ['[*]']) {
      if (!to || origin === to) continue;
      const key = `${origin} --> ${to}`;
      moves.set(key, [...(moves.get(key) ?? []), type]);
    }
  }
  const lines = [...moves].map(([move, types]) => `    ${move}: ${types.join(', ')}`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
}
