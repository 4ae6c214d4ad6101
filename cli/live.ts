import type { Run } from '../events';
import { notesOf } from '../sim/host-notes';
import { type Interruption, type Local, openLocal } from '../sim/local';
import { leftoversIn } from '../sim/tidy';
import { closing } from './closing';
import type { Args } from './command';
import { type Followed, follow } from './follow';
import type { Io } from './io';
import { localImage, localSettings, localVcpus } from './local-settings';
import { type Report, reportOf } from './report';
import { resultsOf } from './results';
import { putInOrder, type Session } from './session';
import { warningsOf } from './warnings';

const INTERRUPTED_EXIT = 130;

/** What this process wants of its local cloud. */
export interface Wish {
  readonly runId: string;
  /** The run as it is already; absent where the wish is a new one. */
  readonly run?: Run;
  /** Sets it going. */
  begin(local: Local): void;
  /** Whether it has been answered: before that the run's rest is no end. */
  isAnswered?(local: Local): Promise<boolean>;
  readonly nextInterruption?: () => Interruption | undefined;
  readonly greeting?: string;
}

/** Where and for whom. */
export interface Stage {
  readonly session: Session;
  readonly args: Args;
  readonly io: Io;
}

/** Opens the local cloud in this process and shows a run until it is over or retained. */
export async function live(wish: Wish, { session, args, io }: Stage): Promise<Followed> {
  const { home, release } = session;
  const { run, runId, isAnswered, nextInterruption } = wish;
  const watch = follow({ home, io, isQuiet: args.json, existing: run && existingOf(run, home) });
  const local = openLocal({
    home,
    speed: Number(args.speed),
    settings: () => localSettings(home),
    imageOf: localImage,
    maxVcpus: localVcpus(),
    isOpen: true,
    dropsEvents: args.dropEvents === true,
    nextInterruption,
    ...watch.listeners,
  });
  const undo = onSignals(async () => {
    local.close();
    io.say('Stopping: the job is killed, and its run is being cancelled.');
    await putInOrder(home, leftoversIn(home), io);
    release();
  });
  try {
    if (wish.greeting) io.say(wish.greeting);
    wish.begin(local);
    return await watch.ended(local, runId, isAnswered && (() => isAnswered(local)));
  } finally {
    local.close();
    undo();
  }
}

function existingOf({ id, acceptedAt }: Run, home: Session['home']) {
  return { id, first: Date.parse(acceptedAt), notes: notesOf(home, id) };
}

/** Shows how it ended. Gives the exit code. */
export function finish(
  { run, events, note }: Followed,
  { session: { home }, args, io }: Stage,
): number {
  const notes = notesOf(home, run.id);
  const report = reportOf(events, notes);
  const results = resultsOf(run, home);
  const warnings = [...warningsOf(run, home, notes), ...neverCame(args, report)];
  const isGood = run.status === 'succeeded' && results.verdict.kind !== 'wrong' && !note;
  const all = { run, report, results, warnings, note };
  if (args.json) io.out(JSON.stringify({ ...all, events }, null, 2));
  else for (const line of closing({ ...all, home, io })) io.out(line);
  return isGood ? 0 : 1;
}

/** Interruptions that somebody asked for, and that found no job to interrupt. */
function neverCame({ interrupt, interruptAfter }: Args, { interruptions }: Report): string[] {
  const asked = (interrupt as number | undefined) ?? (interruptAfter === undefined ? 0 : 1);
  const missing = asked - interruptions.warned - interruptions.unwarned;
  if (missing <= 0) return [];
  return [`${missing} of ${asked} interruptions never came: the job was over before.`];
}

/** Answers Ctrl-C once with an orderly end, and the second time with an end. */
export function onSignals(tidyUp: () => Promise<void>): () => void {
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(INTERRUPTED_EXIT);
    isStopping = true;
    tidyUp().finally(() => process.exit(INTERRUPTED_EXIT));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  return () => {
    for (const signal of signals) process.off(signal, stop);
  };
}
