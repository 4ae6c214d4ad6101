/** The room of a compute environment: who does not fit waits, and nobody overtakes. */
export interface BatchQueue<Job> {
  /** Lets the job go as soon as it fits; at the head of the queue where it was there before. */
  enter(entry: Entry<Job>): void;
  /** The job needs no room any more, or gives up waiting for some. */
  leave(job: Job): void;
}

interface Entry<Job> {
  readonly job: Job;
  readonly vcpus: number;
  /** It has had its room before: Batch puts a job that it tries again at the head. */
  readonly isFirst: boolean;
  readonly go: () => void;
}

/** A queue for so many vCPUs, first in, first out. What is larger than all of it waits for ever. */
export function batchQueue<Job>(maxVcpus: number): BatchQueue<Job> {
  const waiting: Entry<Job>[] = [];
  const held = new Map<Job, number>();
  let free = maxVcpus;

  function giveUp(job: Job): void {
    free += held.get(job) ?? 0;
    held.delete(job);
    const place = waiting.findIndex((entry) => entry.job === job);
    if (place >= 0) waiting.splice(place, 1);
  }

  function letIn(): void {
    for (let next = waiting[0]; next && next.vcpus <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.vcpus;
      held.set(next.job, next.vcpus);
      next.go();
    }
  }

  return {
    enter(entry) {
      giveUp(entry.job);
      if (entry.isFirst) waiting.unshift(entry);
      else waiting.push(entry);
      letIn();
    },
    leave(job) {
      giveUp(job);
      letIn();
    },
  };
}
