import type { FsxApi, FsxFilter } from '../handlers/aws/fsx-api';
import { associationsOf, notFound } from './fsx-associations';
import { autoExportOf, type QueueNote } from './fsx-auto-export';
import { coreOf, type FsxParts, type LocalFileSystem } from './fsx-core';
import { fileSystemsOf } from './fsx-file-systems';
import {
  checkAssociationId,
  checkFileSystemId,
  checkPageToken,
  checkTaskId,
  FsxError,
  within,
} from './fsx-rules';
import { tasksOf } from './fsx-tasks';

export type {
  Fates,
  FileSystemNotes,
  FsxParts,
  LocalAssociation,
  LocalFileSystem,
} from './fsx-core';

/** The FSx API, with what hosts and tests do to file systems besides. */
export interface LocalFsx extends FsxApi {
  all(): readonly LocalFileSystem[];
  get(fileSystemId: string): LocalFileSystem | undefined;
  /** Mounts it on a host, or says in words why that cannot be. */
  mount(
    fileSystemId: string,
  ): { readonly ok: true } | { readonly ok: false; readonly reason: string };
  /** It fails, with FSx's sentence. */
  fail(fileSystemId: string, message: string): void;
  /** Its bucket cannot be reached for a while, or from now on. */
  misconfigure(associationId: string, message: string, healsAfterMs?: number): void;
  /** Deletes a file system as a stranger would, without a word. */
  vanish(fileSystemId: string): void;
  /** How the auto-export queue of a file system has stood. */
  queueOf(fileSystemId: string): readonly QueueNote[];
}

/**
 * The twin of FSx for Lustre. From the documents: lifecycles, client tokens, one association and one task
 * at a time, associations queued while the file system is created, the import at an association's creation, the
 * counts every 30 s, the report of failed files, no task beside auto-export, no deletion under a task.
 * From AWS's CloudFormation provider: an update leaves a policy alone that it does not name. Measured by others: 8 to
 * 10 s until a closed file is in S3. Assumed: all other times; that everything is shown at once; that a file
 * system cannot be deleted while it is created; that a file system is not shown by a filter once it is gone. An
 * import copies whole files, where FSx would show names and fetch contents later. Tokens of
 * updates and deletions are checked for their form only. Auto-export brings a deletion where its events name it,
 * a task never does (both from the documents); assumed: a rename is a deletion and a new file, and a file system
 * that is being deleted brings nothing any more.
 */
export function localFsx(parts: FsxParts): LocalFsx {
  const core = coreOf(parts);
  const tasks = tasksOf(core);
  const autoExport = autoExportOf(core);
  const associations = associationsOf(core, (association) => {
    autoExport.watch(association);
    tasks.importWhatIsOwed(association.fileSystemId);
  });
  const fileSystems = fileSystemsOf(core, {
    isHeld: tasks.isHeld,
    available(fileSystemId) {
      associations.resume(fileSystemId);
      associations.proceed(fileSystemId);
    },
  });
  for (const each of core.all()) fileSystems.resume(each);

  /** Every call but a creation, which asks by itself, after it looked for its token. */
  const asked = (operation: string, request: object) => {
    const refusal = parts.refuse?.(operation, request);
    if (refusal) throw new FsxError(refusal.name, refusal.message);
  };

  const describeFileSystems: FsxApi['describeFileSystems'] = async (request) => {
    asked('describeFileSystems', request);
    const { FileSystemIds: ids } = request;
    if (ids) within('fileSystemIds', Math.max(1, ids.length), IDS_MAX);
    for (const id of ids ?? []) checkFileSystemId(id);
    const found = ids?.length ? ids.map(core.get) : core.all();
    const { items, NextToken } = pageOf(found, request, parts.pageSize);
    return { FileSystems: items.map(fileSystems.shown), NextToken };
  };

  const describeDataRepositoryAssociations: FsxApi['describeDataRepositoryAssociations'] = async (
    request,
  ) => {
    asked('describeDataRepositoryAssociations', request);
    const { AssociationIds: ids = [], Filters } = request;
    within('associationIds', Math.max(1, ids.length), IDS_MAX);
    for (const id of ids) checkAssociationId(id);
    const all = core.all().flatMap((each) => each.associations);
    const named = ids.map((id) => core.association(id) ?? missing(id));
    const found = (ids.length > 0 ? named : all).filter(({ fileSystemId }) =>
      passes(Filters, { 'file-system-id': fileSystemId }),
    );
    const { items, NextToken } = pageOf(found, request, parts.pageSize);
    return { Associations: items.map(associations.shown), NextToken };
  };

  const describeDataRepositoryTasks: FsxApi['describeDataRepositoryTasks'] = async (request) => {
    asked('describeDataRepositoryTasks', request);
    const { TaskIds: ids = [], Filters } = request;
    within('taskIds', Math.max(1, ids.length), IDS_MAX);
    for (const id of ids) checkTaskId(id);
    const unknown = ids.find((id) => !tasks.all().some(({ taskId }) => taskId === id));
    if (unknown)
      throw new FsxError('DataRepositoryTaskNotFound', `No data repository task ${unknown}`);
    const found = tasks
      .all()
      .filter(
        ({ taskId, fileSystemId, lifecycle }) =>
          (ids.length === 0 || ids.includes(taskId)) &&
          passes(Filters, { 'file-system-id': fileSystemId, 'task-lifecycle': lifecycle }),
      );
    const { items, NextToken } = pageOf(found, request, parts.pageSize);
    return { DataRepositoryTasks: items.map(tasks.shown), NextToken };
  };

  return {
    createFileSystem: fileSystems.createFileSystem,
    describeFileSystems,
    async deleteFileSystem(request) {
      asked('deleteFileSystem', request);
      return fileSystems.deleteFileSystem(request);
    },
    createDataRepositoryAssociation: associations.createDataRepositoryAssociation,
    describeDataRepositoryAssociations,
    async updateDataRepositoryAssociation(request) {
      asked('updateDataRepositoryAssociation', request);
      return associations.updateDataRepositoryAssociation(request);
    },
    createDataRepositoryTask: tasks.createDataRepositoryTask,
    describeDataRepositoryTasks,
    async cancelDataRepositoryTask(request) {
      asked('cancelDataRepositoryTask', request);
      return tasks.cancelDataRepositoryTask(request);
    },
    async tagResource(request) {
      asked('tagResource', request);
      return fileSystems.tagResource(request);
    },

    all: core.all,
    get: core.find,
    mount(id) {
      const lifecycle = core.find(id)?.lifecycle;
      if (lifecycle === 'AVAILABLE') return { ok: true };
      return {
        ok: false,
        reason: `file system ${id} ${lifecycle ? `is ${lifecycle}` : 'does not exist'}`,
      };
    },
    fail: fileSystems.fail,
    misconfigure: associations.misconfigure,
    vanish(id) {
      core.forget(id);
      autoExport.forget(id);
    },
    queueOf: autoExport.history,
  };
}

const IDS_MAX = 50;
const VALUES_MAX = 20;
const PAGE_SIZE = 25;

function missing(associationId: string): never {
  throw notFound(associationId);
}

function passes<Name extends string>(
  filters: readonly FsxFilter<Name>[] | undefined,
  values: Readonly<Record<Name, string>>,
): boolean {
  return (filters ?? []).every(({ Name, Values }) => {
    within('filters.values', Values.length, VALUES_MAX);
    return Values.includes(values[Name]);
  });
}

/** A page of an answer. The token says where the next one begins, in the form that FSx's have. */
function pageOf<Item>(
  items: readonly Item[],
  { NextToken: token, MaxResults = PAGE_SIZE }: { NextToken?: string; MaxResults?: number },
  pageSize = PAGE_SIZE,
): { readonly items: readonly Item[]; readonly NextToken?: string } {
  checkPageToken(token);
  const start = token ? Number(Buffer.from(token, 'base64').toString()) : 0;
  const end = start + Math.min(MaxResults, pageSize);
  const NextToken = end < items.length ? Buffer.from(`${end}`).toString('base64') : undefined;
  return { items: items.slice(start, end), NextToken };
}
