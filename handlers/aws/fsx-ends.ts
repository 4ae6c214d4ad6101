import type { FileSystems, Released, SwitchedOff } from '../lib';
import type { FsxPlace } from './file-systems';
import type { FsxApi } from './fsx-api';
import { isNamed, refusalOf } from './fsx-errors';
import { type FsxReads, isUnderWay, type Shown } from './fsx-reads';
import { KEPT_TAG, RUN_TAG, STACK_TAG, tagOf } from './fsx-tags';

/** The steps towards an end: each looks first, does what can be done now, and says what is left. */
export interface FsxEnds {
  switchOffAutoExport(associationId: string): Promise<SwitchedOff>;
  readonly release: FileSystems['release'];
  readonly keep: FileSystems['keep'];
  readonly discard: FileSystems['discard'];
}

/** FSx's clock and ours may differ by so much. */
const SKEW_MS = 5 * 60_000;
/** Steps within this time are one to FSx; later ones are asked for anew. */
const TOKEN_MS = 5 * 60_000;

/** The part of the adapter that switches off, keeps and deletes. */
export function endsOf(fsx: FsxApi, place: FsxPlace, reads: FsxReads): FsxEnds {
  // A deletion that FSx took and gave up would never be tried again under one token for all time.
  const tokenOf = (effect: string) => `${effect}.${Math.floor(place.now() / TOKEN_MS)}`;

  async function switchOffAutoExport(associationId: string): Promise<SwitchedOff> {
    try {
      const seen = await fsx.describeDataRepositoryAssociations({
        AssociationIds: [associationId],
      });
      const { Lifecycle = '', S3, FailureDetails } = seen.Associations?.[0] ?? {};
      if (Lifecycle === 'CREATING' || Lifecycle === 'UPDATING') return { kind: 'updating' };
      if (Lifecycle === 'FAILED' || Lifecycle === 'DELETING' || Lifecycle === '') {
        const why = FailureDetails?.Message ? `: ${FailureDetails.Message}` : '';
        return { kind: 'refused', reason: `${associationId} is ${Lifecycle || 'not shown'}${why}` };
      }
      if ((S3?.AutoExportPolicy?.Events ?? []).length === 0) {
        return { kind: Lifecycle === 'AVAILABLE' ? 'off' : 'updating' };
      }
      await fsx.updateDataRepositoryAssociation({
        AssociationId: associationId,
        ClientRequestToken: tokenOf(`${associationId}.off`),
        // A policy that is left out stays as it is; AWS's own CloudFormation provider sends an empty one.
        S3: { AutoExportPolicy: { Events: [] } },
      });
      return { kind: 'updating' };
    } catch (error) {
      return { kind: 'refused', reason: refusalOf(error).reason };
    }
  }

  const release: FileSystems['release'] = async ({ runId, since, fileSystemId }) => {
    const known = fileSystemId ? await reads.fileSystems([fileSystemId]) : [];
    // FSx tags a file system as it makes it: other tags say that the id is wrong. None at all say nothing
    // against it: they were taken off, or are not shown, and we had the id from FSx itself.
    const named = known.filter((each) => isOf(each, runId) || (each.Tags ?? []).length === 0);
    const madeSince = ({ CreationTime }: Shown) =>
      (CreationTime ?? new Date(0)).getTime() >= Date.parse(since) - SKEW_MS;
    const every = await reads.everyFileSystem();
    const tagged = every.filter((each) => isOf(each, runId) && madeSince(each));
    const own = new Map([...named, ...tagged].map((each) => [each.FileSystemId, each]));
    const steps: Step[] = [];
    for (const each of own.values()) if (!isKept(each)) steps.push(await stepOf(each));
    if (steps.length === 0) return { kind: 'gone' };
    return { kind: 'going', step: steps.includes('waiting') ? 'waiting' : 'deleting' };
  };

  const isOf = (shown: Shown, runId: string) =>
    tagOf(shown, STACK_TAG) === place.stack && tagOf(shown, RUN_TAG) === runId;

  async function stepOf(shown: Shown): Promise<Step> {
    if (shown.Lifecycle === 'DELETING') return 'deleting';
    if (await isFreed(shown)) return (await isDeleted(shown)) ? 'deleting' : 'waiting';
    return 'waiting';
  }

  /** Whether no task holds the file system any more. Those that do are told to end. */
  async function isFreed({ FileSystemId }: Shown): Promise<boolean> {
    const underWay = (await reads.tasks([FileSystemId])).filter(isUnderWay);
    for (const { TaskId, Lifecycle } of underWay) {
      if (TaskId && Lifecycle !== 'CANCELING') await cancel(TaskId);
    }
    // Whether one that is being cancelled holds it nobody says: the deletion is tried, and FSx decides.
    return underWay.every(({ Lifecycle }) => Lifecycle === 'CANCELING');
  }

  async function cancel(TaskId: string): Promise<void> {
    try {
      await fsx.cancelDataRepositoryTask({ TaskId });
    } catch (error) {
      const isOver = isNamed(error, 'DataRepositoryTaskEnded', 'DataRepositoryTaskNotFound');
      // One that cannot be cancelled at this moment is seen at the next step, still running.
      if (!isOver && !isNamed(error, 'BadRequest', 'UnsupportedOperation')) throw error;
    }
  }

  /** False: FSx will not delete it now, as while a task has just begun. */
  async function isDeleted({ FileSystemId }: Shown): Promise<boolean> {
    const ClientRequestToken = tokenOf(`${FileSystemId}.delete`);
    try {
      await fsx.deleteFileSystem({ FileSystemId, ClientRequestToken });
      return true;
    } catch (error) {
      if (isNamed(error, 'FileSystemNotFound')) return true;
      if (isNamed(error, 'BadRequest', 'IncompatibleParameterError')) return false;
      throw error;
    }
  }

  const keep: FileSystems['keep'] = async (fileSystemId) => {
    const [shown] = await reads.fileSystems([fileSystemId]);
    if (!shown?.ResourceARN || shown.Lifecycle === 'DELETING') return false;
    // Its place in S3 may be another run's from now on.
    for (const { AssociationId, S3 } of await reads.associations([fileSystemId])) {
      const exports = (S3?.AutoExportPolicy?.Events ?? []).length > 0;
      if (AssociationId && exports) await switchOffAutoExport(AssociationId);
    }
    try {
      const Tags = [{ Key: KEPT_TAG, Value: 'true' }];
      await fsx.tagResource({ ResourceARN: shown.ResourceARN, Tags });
      return true;
    } catch (error) {
      if (isNamed(error, 'ResourceNotFound', 'FileSystemNotFound')) return false;
      throw error;
    }
  };

  const discard: FileSystems['discard'] = async (fileSystemId) => {
    const [shown] = await reads.fileSystems([fileSystemId]);
    if (!shown || isKept(shown) || tagOf(shown, STACK_TAG) !== place.stack) return false;
    if (shown.Lifecycle === 'DELETING') return true;
    if ((await reads.tasks([fileSystemId])).some(isUnderWay)) return false;
    return isDeleted(shown);
  };

  return { switchOffAutoExport, release, keep, discard };
}

type Step = Extract<Released, { readonly kind: 'going' }>['step'];

function isKept(shown: Shown): boolean {
  return tagOf(shown, KEPT_TAG) !== undefined;
}
