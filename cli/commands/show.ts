import { definitionOf, fieldsOf, type Run, type RunEvent, replay } from '../../events';
import { journalsIn } from '../../sim/home';
import { notesOf } from '../../sim/host-notes';
import { asOnAws, type HostNote, taskName } from '../../sim/ledger';
import { closing } from '../closing';
import { type Command, UsageError } from '../command';
import { hostWords } from '../follow';
import { clockTime, timelineLine } from '../format';
import { hint } from '../local-settings';
import { reportOf } from '../report';
import { resultsOf } from '../results';
import { tidyFirst } from '../session';
import { warningsOf } from '../warnings';

/** Shows one run: its timeline, its numbers, its results. */
export const show: Command = {
  name: 'show',
  summary: 'show a run: its timeline, what it took, where its results are',
  argument: '<run>',
  options: [
    {
      flags: '--parameters',
      about: 'show the parameters of the run instead, and which layer each value came from',
    },
  ],
  async run({ argument = '', home: path, json, parameters }, io) {
    const home = await tidyFirst(path, 'ebb local show', io);
    const events = journalsIn(home).ids().includes(argument) ? journalsIn(home).read(argument) : [];
    const run = replay(events);
    if (!run)
      throw new UsageError(
        `there is no run ${argument} in ${home.path}: see ${hint('list', home)}`,
      );
    if (parameters === true) {
      const all = parametersOf(run, events);
      if (json) io.out(JSON.stringify(all, null, 2));
      else for (const line of parameterLines(all)) io.out(line);
      return 0;
    }
    const notes = notesOf(home, run.id);
    const report = reportOf(events, notes);
    const results = resultsOf(run, home);
    const warnings = warningsOf(run, home, notes);
    if (json) {
      io.out(JSON.stringify({ run, report, results, warnings, events }, null, 2));
      return 0;
    }
    const aws = asOnAws(notes);
    const first = aws(Date.parse(run.acceptedAt));
    for (const { at, line } of timeline(events, notes)) io.out(line(aws(at) - first));
    for (const line of closing({ run, report, results, warnings, home, io })) io.out(line);
    return 0;
  },
};

/** What happened to the run and to its hosts, in order. */
function timeline(events: readonly RunEvent[], notes: readonly HostNote[]) {
  const facts = events.map((event) => ({
    at: Date.parse(event.time),
    line: (ms: number) => timelineLine(ms, event),
  }));
  const hosts = notes.flatMap((note, index) => {
    const before = notes.slice(0, index).findLast((each) => taskName(each) === taskName(note));
    const words = hostWords(note, before);
    return words ? [{ at: note.at, line: (ms: number) => `  ${clockTime(ms)}  ${words}` }] : [];
  });
  return [...facts, ...hosts].sort((a, b) => a.at - b.at);
}

interface ShownParameter {
  readonly name: string;
  readonly value: unknown;
  readonly unit?: string;
  /** `default` where no layer said anything. */
  readonly from: string;
}

/** What the run was given, as its journal tells: what changed since in cdk.json is not in it. */
function parametersOf({ parameters }: Run, [accepted]: readonly RunEvent[]): ShownParameter[] {
  const sources = fieldsOf(fieldsOf(accepted?.data)?.sources) ?? {};
  return Object.entries(parameters)
    .map(([name, value]) => ({
      name,
      value,
      unit: definitionOf(name)?.unit,
      from: Object.hasOwn(sources, name) ? String(sources[name]) : 'default',
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function parameterLines(parameters: readonly ShownParameter[]): string[] {
  const cells = parameters.map(({ name, value, unit, from }) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [name, unit ? `${text} ${unit}` : text, from] as const;
  });
  const widths = [0, 1].map((column) =>
    Math.max(...cells.map((row) => (row[column] ?? '').length)),
  );
  return cells.map(([name, value, from]) =>
    `${name.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${from}`.trimEnd(),
  );
}
