import { isAtRest, type Run, type RunEvent } from '../events';
import { until } from '../sim/clock';
import type { Home } from '../sim/home';
import { asOnAws, type HostNote, taskName } from '../sim/ledger';
import { type Local, type LocalOptions, NOTICE_MS } from '../sim/local';
import { logOf } from '../sim/processes';
import { clockTime, duration, timelineLine } from './format';
import type { Io } from './io';
import { type Tail, tailOf } from './tail';

/** How a followed run ended, as far as it went. */
export interface Followed {
  readonly run: Run;
  readonly events: readonly RunEvent[];
  /** Why nothing happened, where nothing did. */
  readonly note?: string;
}

interface Parts {
  readonly home: Home;
  readonly io: Io;
  /** Says nothing: somebody wants JSON and no company for it. */
  readonly isQuiet: boolean;
  /** A run that is there already: when it began in cloud time, and what its hosts did so far. */
  readonly existing?: {
    readonly id: string;
    readonly first: number;
    readonly notes: readonly HostNote[];
  };
}

type Listeners = Pick<LocalOptions, 'onEvent' | 'onNote' | 'onLog'>;

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** More would only rush by; all of it is in the log. */
const LINES_MAX = 20;
const FOREVER_MS = Number.POSITIVE_INFINITY;

/** Shows a run while it lives: a line per event, the job's own lines, and what is being waited for. */
export function follow({ home, io, isQuiet, existing }: Parts): {
  readonly listeners: Listeners;
  /** Waits for the run's rest; not before `isAnswered`, where it rested already. */
  ended(local: Local, runId: string, isAnswered?: () => Promise<boolean>): Promise<Followed>;
} {
  const notes: HostNote[] = [...(existing?.notes ?? [])];
  let run: { readonly id: string; first: number } | undefined = existing;
  let answer: string | undefined;
  let last: RunEvent | undefined;
  let tail: Tail | undefined;
  let frame = 0;

  const say = (line: string) => {
    if (!isQuiet) io.say(line);
  };
  const since = (time: number) => {
    const aws = asOnAws(notes);
    return aws(time) - aws(run?.first ?? time);
  };
  const quote = (lines: readonly string[]) => {
    for (const line of lines.slice(0, LINES_MAX)) say(io.style('dim', `            | ${line}`));
    const more = lines.length - LINES_MAX;
    if (more > 0) say(io.style('dim', `            | … ${more} more lines in the log`));
  };

  const listeners: Listeners = {
    onLog({ handler, decided, runId }) {
      if (handler === 'accept-run') answer = `${runId}: ${decided}`;
    },
    onEvent(event) {
      if (event.type === 'RunAccepted' || event.type === 'RunRejected') {
        run ??= { id: event.runId, first: Date.parse(event.time) };
      }
      if (event.runId !== run?.id) return;
      last = event;
      quote(tail?.lines() ?? []);
      say(timelineLine(since(Date.parse(event.time)), event));
    },
    onNote(note, task) {
      if (note.runId !== run?.id) return;
      const before = notes.findLast((each) => taskName(each) === taskName(note));
      notes.push(note);
      if (note.index === undefined) {
        quote((note.kind === 'ended' ? tail?.rest() : tail?.lines()) ?? []);
        if (note.kind === 'started')
          tail = tailOf(logOf(home, `${task.jobId}/${task.batchAttempt}`));
      }
      const line = hostWords(note, before);
      const style = note.kind === 'started' ? 'cyan' : 'yellow';
      if (line) say(io.style(style, `  ${clockTime(since(note.at))}  ${line}`));
    },
  };

  function showStatus(local: Local): void {
    frame = (frame + 1) % FRAMES.length;
    if (isQuiet || !run) return;
    io.status(`${FRAMES[frame]} ${clockTime(since(local.now()))}  ${waitingFor(last, notes)}`);
  }

  /** The run that came of the request: accepted or rejected, or the earlier one it equals. */
  async function found(local: Local, runId: string): Promise<Run | undefined> {
    if (run) return local.cloud.runs.get(run.id);
    return answer?.includes('the same request') ? local.cloud.runs.get(runId) : undefined;
  }

  return {
    listeners,
    async ended(local, runId, isAnswered = async () => true) {
      await until(async () => {
        quote(tail?.lines() ?? []);
        showStatus(local);
        const [dead] = local.cloud.deadLetters.read();
        if (dead) throw new Error(`${dead.handler} could not do its work: ${dead.error}`);
        const now = await found(local, runId);
        if (!now || !(await isAnswered())) return false;
        return isAtRest(now) || !run;
      }, FOREVER_MS);
      quote(tail?.rest() ?? []);
      io.status('');
      const over = await found(local, runId);
      if (!over) throw new Error(`nothing came of the request ${runId}`);
      const note = run ? undefined : `the same request came before: it is run ${over.id}`;
      return { run: over, events: await local.cloud.runs.journal(over.id), note };
    },
  };
}

/** What happened to a host, where no event of the run says so. */
export function hostWords(
  { kind, host, attempt, speed, index }: HostNote,
  before: HostNote | undefined,
): string | undefined {
  const task = index === undefined ? '' : `task ${index}: `;
  if (kind === 'started') {
    // Of an array only what is out of the ordinary: it may have thousands of tasks.
    if (index !== undefined && attempt === 1) return undefined;
    const again = attempt > 1 ? ' again' : '';
    return `${'Storage mounted'.padEnd(19)}  ${task}on ${host}${again}`;
  }
  if (kind === 'noticed') {
    const here = speed === 1 ? '' : ` (${duration(NOTICE_MS / speed)} here)`;
    return `${'Spot notice'.padEnd(19)}  ${task}the host goes in two minutes${here}: SIGTERM to the job`;
  }
  if (kind === 'killed') {
    const why = before?.kind === 'noticed' ? 'the two minutes are over' : 'without warning';
    return `${'Host lost'.padEnd(19)}  ${task}${why}: everything on it was killed`;
  }
  return undefined;
}

/** What everybody is waiting for, in a few words. */
function waitingFor(last: RunEvent | undefined, notes: readonly HostNote[]): string {
  const tasks = new Set(notes.map(taskName));
  const atWork = [...tasks].filter(
    (name) => notes.findLast((note) => taskName(note) === name)?.kind === 'started',
  );
  if (atWork.length > 1) return `${atWork.length} tasks are at work`;
  if (atWork.length === 1) return 'the job is at work';
  switch (last?.status) {
    case 'queued':
    case 'provisioning':
      return 'the storage is being created';
    case 'ready':
    case 'running':
      return 'waiting for a host';
    case 'exporting':
      return 'the results are on their way to S3';
    case 'releasing':
      return 'the storage is being given back';
    default:
      return '';
  }
}
