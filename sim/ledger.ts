/** What happened on the hosts of a run, small enough to be kept: cloud times are epoch milliseconds. */
export interface HostNote {
  readonly runId: string;
  readonly kind: 'started' | 'noticed' | 'killed' | 'ended';
  readonly job: string;
  /** Of an array: which of its tasks. */
  readonly index?: number;
  readonly host: string;
  /** Counts the starts of the job on its storage. */
  readonly attempt: number;
  readonly at: number;
  /** How many times faster than real time the cloud's waits went by. */
  readonly speed: number;
  readonly exitCode?: number;
  /** For an attempt that was cut short: real milliseconds since it last wrote to its storage. */
  readonly unsavedMs?: number;
}

/** A time when a job was at work, and nothing else was waited for. */
interface Work {
  readonly from: number;
  readonly to: number;
  readonly speed: number;
}

/**
 * Puts the waits back: turns cloud time, in which everything is `speed` times as fast, into the time
 * that AWS would show. Waits are as long as the cloud says, work is as long as it really took.
 */
export function asOnAws(notes: readonly HostNote[]): (time: number) => number {
  const works = worksOf(notes);
  return (time) => {
    const saved = works.map(({ from, to, speed }) => {
      const worked = Math.max(0, Math.min(to, time) - from);
      return worked * (1 - 1 / speed);
    });
    return time - saved.reduce((sum, each) => sum + each, 0);
  };
}

/** The spans in which at least one job was at work: a Spot notice is a wait, until it is over. */
function worksOf(notes: readonly HostNote[]): Work[] {
  const works: Work[] = [];
  const atWork = new Set<string>();
  let from = 0;
  for (const note of notes) {
    const { kind, at, speed } = note;
    if (kind === 'started') {
      if (atWork.size === 0) from = at;
      atWork.add(taskName(note));
    } else if (atWork.delete(taskName(note)) && atWork.size === 0) {
      works.push({ from, to: at, speed });
    }
  }
  const last = notes.at(-1);
  if (atWork.size > 0 && last)
    works.push({ from, to: Number.POSITIVE_INFINITY, speed: last.speed });
  return works;
}

/** What tells a job's container from others that run at the same time. */
export function taskName({ job, index }: Pick<HostNote, 'job' | 'index'>): string {
  return index === undefined ? job : `${job} ${index}`;
}
