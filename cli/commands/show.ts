import { type RunEvent, replay } from '../../events';
import { journalsIn } from '../../sim/home';
import { asOnAws, type HostNote } from '../../sim/ledger';
import { notesOf } from '../../sim/local';
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
  options: [],
  async run({ argument = '', home: path, json }, io) {
    const home = await tidyFirst(path, 'ebb local show', io);
    const events = journalsIn(home).ids().includes(argument) ? journalsIn(home).read(argument) : [];
    const run = replay(events);
    if (!run)
      throw new UsageError(
        `there is no run ${argument} in ${home.path}: see ${hint('list', home)}`,
      );
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
    const words = hostWords(note, notes[index - 1]);
    return words ? [{ at: note.at, line: (ms: number) => `  ${clockTime(ms)}  ${words}` }] : [];
  });
  return [...facts, ...hosts].sort((a, b) => a.at - b.at);
}
