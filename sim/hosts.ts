import type { SeenAttempt, WantedJob } from '../handlers';
import { claim, leave, type Marker, placeOf } from './claim';
import type { Timeline } from './clock';
import type { Random } from './random';
import type { LocalVolumes } from './volumes';

/** One container to run: the job, and what the host tells it. */
export interface Task {
  /** `<array>:<index>` for a task of an array. */
  readonly jobId: string;
  readonly wanted: WantedJob;
  /** Which task of an array. */
  readonly index?: number;
  readonly host: string;
  /** Batch's count: attempts of this submission, from 1. */
  readonly batchAttempt: number;
  /** The storage's count: starts of this job, or of this task, on it, from 1. */
  readonly attempt: number;
  /** The previous start left no exit. */
  readonly interrupted: boolean;
}

/** How a container ended. No exit code: it never ran, or its host was lost. */
export interface Exit {
  readonly started: boolean;
  readonly exitCode?: number;
  readonly reason?: string;
}

export interface Container {
  /** The job's command runs; never, where it could not be started. */
  readonly started: Promise<void>;
  readonly exit: Promise<Exit>;
  /** SIGTERM to the job's main process, as Docker sends it. */
  terminate(): void;
  /** SIGKILL to everything the job has started. */
  kill(): void;
}

/** Where a job's commands really run: as processes, or as a simulation of some. */
export interface Containers {
  start(task: Task): Container;
}

/**
 * What is on a storage beside the job's data. The hosts of an array share one marker: between reading
 * and writing it nobody else may come, so both are done at once.
 */
export interface Markers {
  read(storage: string): Marker | undefined;
  write(storage: string, marker: Marker): void;
}

/** Lustre, as a host meets it: any number of hosts may mount one at once, and nobody has to give it back. */
export interface FileSystemMounts {
  mount(
    fileSystemId: string,
  ): { readonly ok: true } | { readonly ok: false; readonly reason: string };
}

/** What happens on hosts, for those who watch: Batch itself tells less. */
export type HostFact =
  | { readonly kind: 'started' | 'noticed' | 'killed'; readonly at: number; readonly task: Task }
  | { readonly kind: 'ended'; readonly at: number; readonly task: Task; readonly exit: Exit };

/** The hosts of the compute environments: warm ones, dying ones, and those that are still to come. */
export interface Hosts {
  /** Calls `ready` with a host of the zone, soon if one is warm. */
  provide(zone: string, ready: (host: string) => void): void;
  /** Begins an attempt on a host: takes the storage, lets the container in, runs it. */
  begin(beginning: Beginning): Attempt;
  close(): void;
}

export interface Beginning {
  readonly host: string;
  readonly jobId: string;
  readonly wanted: WantedJob;
  readonly index?: number;
  readonly batchAttempt: number;
  /** The container has started. */
  readonly onRunning: () => void;
  /** The attempt is over, and this is what Batch will say of it. */
  readonly onOver: (seen: SeenAttempt) => void;
}

/** An attempt under way. */
export interface Attempt {
  /** SIGTERM, and SIGKILL after this long. An attempt that waits for its storage just ends. */
  stop(graceMs: number): void;
  /** A Spot interruption: a notice, then the end of the host. False: nothing runs there, or it is dying. */
  interrupt(noticeMs: number): boolean;
}

interface Parts {
  readonly clock: Timeline;
  readonly random: Random;
  readonly volumes: LocalVolumes;
  /** Where absent no file system can be mounted. */
  readonly fileSystems?: FileSystemMounts;
  readonly containers: Containers;
  readonly markers: Markers;
  readonly onFact?: (fact: HostFact) => void;
}

/** A cold host: 2 to 5 minutes are reported; the local cloud is a little faster. A warm one: assumed. */
const COLD_START_MS = { min: 90_000, max: 150_000 };
const WARM_START_MS = { min: 2000, max: 5000 };
/** ECS_CONTAINER_START_TIMEOUT of our hosts; a volume held by a dying host is waited for so long. */
const START_TIMEOUT_MS = 600_000;
const ATTACH_EVERY_MS = 2000;

interface Running {
  readonly task: Task;
  readonly container: Container;
  isHostLost: boolean;
}

/** An attempt that waits for its storage until it runs. */
interface Waiting {
  readonly until: number;
  isStopped: boolean;
  running?: Running;
}

/**
 * What a host does for a container: mount, never steal, claim, start, and give back. It stands for
 * the runtime that mounts storage by name. A volume is at one host at a time, a file system at any
 * number; one container at a time is on each host.
 */
export function localHosts(parts: Parts): Hosts {
  const { clock, random, volumes, containers, markers, onFact = () => {} } = parts;
  const warm: { readonly host: string; readonly zone: string }[] = [];
  const dying = new Set<string>();
  const running = new Set<Running>();
  let isClosed = false;
  const later = (ms: number, run: () => void) => clock.at(clock.now() + ms, run);

  function provide(zone: string, ready: (host: string) => void): void {
    const index = warm.findIndex((each) => each.zone === zone);
    const [found] = index < 0 ? [] : warm.splice(index, 1);
    const { min, max } = found ? WARM_START_MS : COLD_START_MS;
    const host = found?.host ?? `i-0${random.hex(16)}`;
    later(random.between(min, max), () => {
      if (!isClosed) ready(host);
    });
  }

  function begin(beginning: Beginning): Attempt {
    const state: Waiting = { until: clock.now() + START_TIMEOUT_MS, isStopped: false };
    mount(beginning, state);
    return {
      stop(graceMs) {
        if (!state.running) {
          state.isStopped = true;
          return beginning.onOver({ started: false, statusReason: 'Task stopped' });
        }
        const { container } = state.running;
        container.terminate();
        later(graceMs, () => container.kill());
      },
      interrupt: (noticeMs) => state.running !== undefined && interrupt(state.running, noticeMs),
    };
  }

  /** Takes a volume when it is free, waits for one that a dying host still holds, never steals. */
  function mount(beginning: Beginning, state: Waiting): void {
    if (state.isStopped || isClosed) return;
    const { host, wanted } = beginning;
    if (!isVolume(wanted.storage)) {
      const mounted = mountShared(wanted.storage);
      return mounted.ok ? enter(beginning, state) : refuse(beginning, mounted.reason);
    }
    const attached = volumes.attach(wanted.storage, host);
    if (attached.ok) return enter(beginning, state);
    if (clock.now() >= state.until) return refuse(beginning, attached.reason);
    later(ATTACH_EVERY_MS, () => mount(beginning, state));
  }

  function mountShared(storage: string) {
    const [fileSystemId = ''] = storage.split('@');
    const refusal = { ok: false, reason: `there is no file system ${fileSystemId}` } as const;
    return parts.fileSystems?.mount(fileSystemId) ?? refusal;
  }

  /** A file system stays where it is: nobody else waits for it. */
  function unmount(storage: string, host: string): void {
    if (isVolume(storage)) volumes.detach(storage, host);
  }

  function enter(beginning: Beginning, state: Waiting): void {
    const { host, wanted, onRunning, onOver } = beginning;
    const entered = letIn(beginning);
    if (!entered.ok) {
      unmount(wanted.storage, host);
      return refuse(beginning, entered.reason);
    }
    state.running = entered.running;
    const { container, task } = entered.running;
    container.started.then(() => {
      onRunning();
      onFact({ kind: 'started', at: clock.now(), task });
    });
    container.exit.then((exit) => {
      if (!isClosed) leaveHost(entered.running, exit, onOver);
    });
  }

  function refuse({ host, wanted, onOver }: Beginning, reason: string): void {
    warm.push({ host, zone: wanted.zone });
    onOver({
      started: false,
      reason: `CannotStartContainerError: ${reason}`,
      statusReason: 'Task failed to start',
    });
  }

  /** The fence: a container gets in under its own claim, or not at all. */
  function letIn({ host, jobId, wanted, index, batchAttempt }: Beginning) {
    const { runId, submission, spec, storage } = wanted;
    const claimant = { runId, submission, job: spec.name, jobId, index };
    const claimed = claim(markers.read(storage), claimant);
    if (!claimed.ok) return claimed;
    markers.write(storage, claimed.marker);
    const { attempt, interrupted } = claimed;
    const task: Task = { jobId, wanted, index, host, batchAttempt, attempt, interrupted };
    const entered: Running = { task, container: containers.start(task), isHostLost: false };
    running.add(entered);
    return { ok: true as const, running: entered };
  }

  function leaveHost(ended: Running, exit: Exit, onOver: Beginning['onOver']): void {
    const { task, isHostLost } = ended;
    const { host, wanted, index } = task;
    running.delete(ended);
    const seen: Exit = isHostLost ? { started: true } : exit;
    if (!isHostLost) {
      const marker = markers.read(wanted.storage);
      const place = placeOf({ job: wanted.spec.name, index });
      if (marker) markers.write(wanted.storage, leave(marker, place));
      unmount(wanted.storage, host);
      if (!dying.has(host)) warm.push({ host, zone: wanted.zone });
    }
    if (seen.started) onFact({ kind: 'ended', at: clock.now(), task, exit: seen });
    const own = seen.started ? 'Essential container in task exited' : 'Task failed to start';
    const statusReason = isHostLost ? `Host EC2 (instance ${host}) terminated.` : own;
    const logStream = seen.started ? `${task.jobId}/${task.batchAttempt}` : undefined;
    onOver({ ...seen, statusReason, logStream });
  }

  function interrupt(interrupted: Running, noticeMs: number): boolean {
    const { task, container } = interrupted;
    const { host } = task;
    if (!running.has(interrupted) || dying.has(host)) return false;
    dying.add(host);
    const die = () => {
      interrupted.isHostLost = running.has(interrupted);
      if (interrupted.isHostLost) onFact({ kind: 'killed', at: clock.now(), task });
      container.kill();
      volumes.hostGone(host);
    };
    if (noticeMs <= 0) {
      die();
      return true;
    }
    onFact({ kind: 'noticed', at: clock.now(), task });
    container.terminate();
    later(noticeMs, die);
    return true;
  }

  return {
    provide,
    begin,
    close() {
      isClosed = true;
      for (const { container } of running) container.kill();
    },
  };
}

function isVolume(storage: string): boolean {
  return storage.startsWith('vol-');
}
