import type { FsxApi, FsxTask } from '../handlers/aws/fsx-api';
import { type FsxCore, knownBy, type LocalAssociation, MINUTE, SECOND } from './fsx-core';
import { badRequest, checkTask, checkTaskId, FsxError } from './fsx-rules';
import { type FailedFile, type LocalTask, reportOf, shownTask } from './fsx-task-forms';
import { type Brought, isWithin, placeOf, type Tie } from './trees';

/** The part of the twin that is about data repository tasks. */
export interface FsxTasks
  extends Pick<FsxApi, 'createDataRepositoryTask' | 'cancelDataRepositoryTask'> {
  all(): readonly LocalTask[];
  /** A task that is PENDING or EXECUTING: FSx then deletes nothing. */
  isHeld(fileSystemId: string): boolean;
  /** Begins the imports that associations owe, one after the other. */
  importWhatIsOwed(fileSystemId: string): void;
  shown(task: LocalTask): FsxTask;
}

/** One file of a task. */
interface Item {
  readonly path: string;
  readonly errorCode?: string;
  bring(): Promise<Brought>;
}

/** Assumed. */
const PENDING_MS = { min: 5 * SECOND, max: 30 * SECOND };
const FIRST_MS = { min: 10 * SECOND, max: 30 * SECOND };
const CANCELING_MS = { min: 5 * SECOND, max: MINUTE };
/** The counts are written this often; and so many files are brought meanwhile (213 a second in the field). */
const REFRESH = { min: 30 * SECOND, max: 30 * SECOND };
const FILES_PER_REFRESH = 6000;

export function tasksOf(core: FsxCore): FsxTasks {
  const { clock, random, trees, fate, refuse } = core.parts;
  const tasks = new Map<string, LocalTask>();

  const of = (fileSystemId: string) =>
    [...tasks.values()].filter((each) => each.fileSystemId === fileSystemId);
  const isBusy = (fileSystemId: string) =>
    of(fileSystemId).some(({ lifecycle }) => lifecycle === 'CANCELING') || isHeld(fileSystemId);
  const isHeld = (fileSystemId: string) =>
    of(fileSystemId).some(({ lifecycle }) => ['PENDING', 'EXECUTING'].includes(lifecycle));
  const set = (taskId: string, changes: Partial<LocalTask>) => {
    const before = tasks.get(taskId);
    if (before) tasks.set(taskId, { ...before, ...changes });
  };
  const is = (taskId: string, lifecycle: LocalTask['lifecycle']) =>
    tasks.get(taskId)?.lifecycle === lifecycle;

  const createDataRepositoryTask: FsxApi['createDataRepositoryTask'] = async (request) => {
    const { fileSystemId, associations, lifecycle } = core.get(request.FileSystemId);
    checkTask(request, associations);
    const known = knownBy([...tasks.values()], request);
    if (known) return { DataRepositoryTask: shownTask(known) };
    const refusal = refuse?.('createDataRepositoryTask', request);
    if (refusal) throw new FsxError(refusal.name, refusal.message);
    if (lifecycle !== 'AVAILABLE') throw badRequest(`File system ${fileSystemId} is ${lifecycle}`);
    if (!associations.some(isTied)) throw badRequest('No data repository is linked');
    if (
      associations.some(
        ({ exportEvents, lifecycle: at }) => exportEvents.length > 0 && at !== 'FAILED',
      )
    ) {
      throw badRequest('Automatic export and export tasks cannot run at the same time');
    }
    if (isBusy(fileSystemId)) throw new FsxError('DataRepositoryTaskExecuting', EXECUTING);
    const items = () => exportsOf(fileSystemId, request.Paths ?? ['']);
    const task = begin(fileSystemId, { type: 'EXPORT_TO_REPOSITORY', request }, items);
    return { DataRepositoryTask: shownTask(task) };
  };

  function begin(
    fileSystemId: string,
    what: Pick<LocalTask, 'type' | 'request'>,
    items: () => Promise<readonly Item[]>,
  ): LocalTask {
    const taskId = `task-0${random.hex(16)}`;
    const createdAt = clock.now();
    const request = structuredClone(what.request);
    const task = {
      taskId,
      fileSystemId,
      createdAt,
      lifecycle: 'PENDING',
      ...what,
      request,
    } as const;
    tasks.set(taskId, task);
    const fated = fate?.task?.({ type: what.type, fileSystemId });
    if (fated?.kind === 'sticks') sticking.set(taskId, fated.in);
    if (sticking.get(taskId) === 'PENDING') return task;
    core.later(PENDING_MS, () => {
      if (!is(taskId, 'PENDING') || !core.find(fileSystemId)) return;
      set(taskId, { lifecycle: 'EXECUTING', startedAt: clock.now() });
      if (fated?.kind === 'fails') core.later(FIRST_MS, () => end(taskId, 'FAILED', fated.message));
      else if (!sticking.has(taskId) || sticking.get(taskId) === 'CANCELING')
        void work(taskId, items);
    });
    return task;
  }
  const sticking = new Map<string, 'PENDING' | 'EXECUTING' | 'CANCELING'>();

  async function work(taskId: string, list: () => Promise<readonly Item[]>): Promise<void> {
    try {
      const items = await list();
      const failed: FailedFile[] = [];
      core.later(FIRST_MS, () => void round(taskId, { items, done: 0, failed }));
    } catch (error) {
      core.later(FIRST_MS, () => end(taskId, 'FAILED', String(error)));
    }
  }

  /** Brings the next files, writes the counts, and goes on until there is none. */
  async function round(
    taskId: string,
    at: { readonly items: readonly Item[]; readonly done: number; readonly failed: FailedFile[] },
  ): Promise<void> {
    const { items, failed } = at;
    const until = Math.min(items.length, at.done + FILES_PER_REFRESH);
    for (const item of items.slice(at.done, until)) {
      if (!is(taskId, 'EXECUTING') || !core.find(tasks.get(taskId)?.fileSystemId ?? '')) return;
      const code = item.errorCode ?? fileFate(taskId, item);
      const brought = code
        ? ({ kind: 'failed', errorCode: code } as const)
        : await item.bring().catch(() => BROKEN);
      if (brought.kind === 'failed') failed.push({ path: item.path, errorCode: brought.errorCode });
    }
    if (!is(taskId, 'EXECUTING')) return;
    const counts = { SucceededCount: until - failed.length, FailedCount: failed.length };
    const LastUpdatedTime = new Date(clock.now());
    set(taskId, { status: { TotalCount: items.length, ...counts, LastUpdatedTime } });
    if (until < items.length)
      core.later(REFRESH, () => void round(taskId, { items, done: until, failed }));
    else await conclude(taskId, failed);
  }

  const fileFate = (taskId: string, { path }: Item) =>
    fate?.file?.(tasks.get(taskId)?.fileSystemId ?? '', path);

  async function conclude(taskId: string, failed: readonly FailedFile[]): Promise<void> {
    if (failed.length === 0) return end(taskId, 'SUCCEEDED');
    const report = tasks.get(taskId)?.request.Report;
    try {
      if (report?.Enabled && report.Path) await writeReport(taskId, report.Path, failed);
      end(taskId, 'FAILED', `The task failed to process ${failed.length} files`);
    } catch (error) {
      end(taskId, 'FAILED', `The task failed to process files, and to report them: ${error}`);
    }
  }

  async function writeReport(taskId: string, path: string, failed: readonly FailedFile[]) {
    const { bucket, prefix } = placeOf(path);
    await trees.put(
      bucket,
      `${prefix.replace(/\/$/, '')}/${taskId}/failures.csv`,
      reportOf(failed),
    );
  }

  function end(taskId: string, lifecycle: LocalTask['lifecycle'], failure?: string): void {
    const task = tasks.get(taskId);
    if (task?.lifecycle !== 'EXECUTING' && task?.lifecycle !== 'CANCELING') return;
    set(taskId, { lifecycle, failure, endedAt: clock.now() });
    if (task.type === 'IMPORT_METADATA_FROM_REPOSITORY') settleDebt(task);
    importWhatIsOwed(task.fileSystemId);
  }

  /** Only now: a process that dies during an import leaves it to the next one. */
  function settleDebt({ fileSystemId, request }: LocalTask): void {
    const imported = core
      .find(fileSystemId)
      ?.associations.find(({ repositoryPath }) => repositoryPath === request.Paths?.[0]);
    if (imported) core.changeAssociation(imported.associationId, { owesImport: false });
  }

  /** The changed files below the paths that are tied to S3; what is tied to nothing is passed over. */
  async function exportsOf(
    fileSystemId: string,
    paths: readonly string[],
  ): Promise<readonly Item[]> {
    const items = new Map<string, Item>();
    for (const path of paths.map((each) => `/${each}`.replace(/(.)\/+$/, '$1'))) {
      if (!(await trees.has(fileSystemId, path))) throw `The path ${path} is not valid`;
      for (const tie of core.get(fileSystemId).associations.filter(isTied)) {
        const start = isWithin(path, tie.path) ? path : tie.path;
        if (!isWithin(start, path)) continue;
        for (const file of await trees.changed(fileSystemId, start)) {
          items.set(file.path, { ...file, bring: () => bring(tie, file.path) });
        }
      }
    }
    return [...items.values()];
  }

  async function bring(tie: LocalAssociation, path: string): Promise<Brought> {
    const lifecycle = core.association(tie.associationId)?.lifecycle;
    if (lifecycle === 'MISCONFIGURED') return { kind: 'failed', errorCode: 'S3AccessDenied' };
    return trees.bring(tie, path);
  }

  function importWhatIsOwed(fileSystemId: string): void {
    const fileSystem = core.find(fileSystemId);
    if (fileSystem?.lifecycle !== 'AVAILABLE' || isBusy(fileSystemId)) return;
    const owing = fileSystem.associations.find(
      ({ owesImport, lifecycle }) => owesImport && lifecycle === 'AVAILABLE',
    );
    if (!owing) return;
    const request = { Paths: [owing.repositoryPath], FileSystemId: fileSystemId };
    begin(fileSystemId, { type: 'IMPORT_METADATA_FROM_REPOSITORY', request }, async () => {
      const names = await trees.objects(owing);
      return names.map((name) => importOf(owing, name));
    });
  }

  const importOf = (tie: Tie, name: string): Item => ({
    path: `${tie.path}/${name}`,
    bring: () => trees.fetch(tie, name),
  });

  const cancelDataRepositoryTask: FsxApi['cancelDataRepositoryTask'] = async ({ TaskId }) => {
    checkTaskId(TaskId);
    const task = tasks.get(TaskId);
    if (!task)
      throw new FsxError('DataRepositoryTaskNotFound', `No data repository task ${TaskId}`);
    if (['SUCCEEDED', 'FAILED', 'CANCELED'].includes(task.lifecycle)) {
      throw new FsxError('DataRepositoryTaskEnded', `Data repository task ${TaskId} has ended`);
    }
    if (task.lifecycle !== 'CANCELING') {
      set(TaskId, { lifecycle: 'CANCELING' });
      const isStuck = sticking.get(TaskId) === 'CANCELING';
      if (!isStuck) core.later(CANCELING_MS, () => end(TaskId, 'CANCELED'));
    }
    return { TaskId, Lifecycle: 'CANCELING' };
  };

  return {
    createDataRepositoryTask,
    cancelDataRepositoryTask,
    all: () => [...tasks.values()],
    isHeld,
    importWhatIsOwed,
    shown: shownTask,
  };
}

const BROKEN: Brought = { kind: 'failed', errorCode: 'InternalError' };

const EXECUTING =
  'An existing data repository task is currently executing on the file system. Wait until the existing task has completed, then create the new task.';

function isTied({ lifecycle }: LocalAssociation): boolean {
  return lifecycle === 'AVAILABLE' || lifecycle === 'MISCONFIGURED' || lifecycle === 'UPDATING';
}
