import type { FsxApi, FsxAssociation } from '../handlers/aws/fsx-api';
import { type FsxCore, knownBy, type LocalAssociation, MINUTE, SECOND } from './fsx-core';
import {
  badRequest,
  checkAssociation,
  checkAssociationId,
  checkBeside,
  checkToken,
  FsxError,
} from './fsx-rules';

/** The part of the twin that is about associations. */
export interface FsxAssociations
  extends Pick<FsxApi, 'createDataRepositoryAssociation' | 'updateDataRepositoryAssociation'> {
  /** Takes the next one of a file system in hand: FSx makes one at a time. */
  proceed(fileSystemId: string): void;
  /** Goes on with those that an earlier process left in the middle of something. */
  resume(fileSystemId: string): void;
  misconfigure(associationId: string, message: string, healsAfterMs?: number): void;
  shown(association: LocalAssociation): FsxAssociation;
}

/** Assumed; in the field it may take ten minutes and more. */
const CREATION_MS = { min: MINUTE, max: 5 * MINUTE };
const UPDATE_MS = { min: 30 * SECOND, max: 2 * MINUTE };
const NO_ASSOCIATIONS = '2.10';

export function associationsOf(
  core: FsxCore,
  changed: (association: LocalAssociation) => void,
): FsxAssociations {
  const { clock, random, trees, fate, refuse } = core.parts;
  const inHand = new Set<string>();

  /** A new lifecycle, told to who waits for it. */
  function set(associationId: string, changes: Partial<LocalAssociation>): void {
    core.changeAssociation(associationId, changes);
    const association = core.association(associationId);
    if (association) changed(association);
  }

  const createDataRepositoryAssociation: FsxApi['createDataRepositoryAssociation'] = async (
    request,
  ) => {
    checkAssociation(request);
    const fileSystem = core.get(request.FileSystemId);
    const { fileSystemId, associations, lifecycle } = fileSystem;
    const known = knownBy(associations, request);
    if (known) return { Association: shown(known) };
    const refusal = refuse?.('createDataRepositoryAssociation', request);
    if (refusal) throw new FsxError(refusal.name, refusal.message);
    if ((fileSystem.request.FileSystemTypeVersion ?? NO_ASSOCIATIONS) === NO_ASSOCIATIONS) {
      throw badRequest('Data repository associations need file system version 2.12 or later');
    }
    if (lifecycle !== 'CREATING' && lifecycle !== 'AVAILABLE') {
      throw badRequest(`File system ${fileSystemId} is ${lifecycle}`);
    }
    const { FileSystemPath: path = '', DataRepositoryPath: place } = request;
    const tie = { path: path.replace(/(.)\/+$/, '$1'), repositoryPath: place.replace(/\/*$/, '/') };
    checkBeside(tie, associations);
    const made: LocalAssociation = {
      ...{ ...tie, fileSystemId, associationId: `dra-0${random.hex(16)}` },
      lifecycle: 'CREATING',
      request: structuredClone(request),
      exportEvents: request.S3?.AutoExportPolicy?.Events ?? [],
      owesImport: request.BatchImportMetaDataOnCreate ?? false,
    };
    core.change(fileSystemId, { associations: [...associations, made] });
    proceed(fileSystemId);
    return { Association: shown(made) };
  };

  function proceed(fileSystemId: string): void {
    const fileSystem = core.find(fileSystemId);
    if (fileSystem?.lifecycle !== 'AVAILABLE' || inHand.has(fileSystemId)) return;
    const next = fileSystem.associations.find(({ lifecycle }) => lifecycle === 'CREATING');
    if (!next) return;
    inHand.add(fileSystemId);
    core.later(CREATION_MS, () => {
      inHand.delete(fileSystemId);
      finish(next)
        .catch((error) => set(next.associationId, { lifecycle: 'FAILED', failure: String(error) }))
        .then(() => proceed(fileSystemId));
    });
  }

  async function finish({ associationId, fileSystemId, path, request }: LocalAssociation) {
    if (core.association(associationId)?.lifecycle !== 'CREATING') return;
    const fated = fate?.association?.(request);
    if (fated?.kind === 'fails') {
      return set(associationId, { lifecycle: 'FAILED', failure: fated.message });
    }
    await trees.make(fileSystemId, path);
    if (!fated) return set(associationId, { lifecycle: 'AVAILABLE' });
    misconfigure(associationId, fated.message, fated.healsAfterMs);
  }

  function misconfigure(id: string, failure: string, healsAfterMs?: number): void {
    set(id, { lifecycle: 'MISCONFIGURED', failure });
    if (healsAfterMs === undefined) return;
    clock.at(clock.now() + healsAfterMs, () => {
      if (core.association(id)?.lifecycle !== 'MISCONFIGURED') return;
      set(id, { lifecycle: 'AVAILABLE', failure: undefined });
    });
  }

  const updateDataRepositoryAssociation: FsxApi['updateDataRepositoryAssociation'] = async (
    request,
  ) => {
    checkToken(request);
    checkAssociationId(request.AssociationId);
    const before = core.association(request.AssociationId);
    if (!before) throw notFound(request.AssociationId);
    const { associationId, lifecycle, exportEvents } = before;
    if (lifecycle !== 'AVAILABLE' && lifecycle !== 'MISCONFIGURED') {
      throw badRequest(`Data repository association ${associationId} is ${lifecycle}`);
    }
    const nextEvents = request.S3?.AutoExportPolicy?.Events ?? exportEvents;
    set(associationId, { lifecycle: 'UPDATING', nextEvents });
    update(associationId);
    return { Association: shown(core.association(associationId) ?? before) };
  };

  function update(associationId: string): void {
    core.later(UPDATE_MS, () => {
      const { lifecycle, nextEvents = [] } = core.association(associationId) ?? {};
      if (lifecycle !== 'UPDATING') return;
      const done = { exportEvents: nextEvents, nextEvents: undefined, failure: undefined };
      set(associationId, { lifecycle: 'AVAILABLE', ...done });
    });
  }

  return {
    createDataRepositoryAssociation,
    updateDataRepositoryAssociation,
    proceed,
    resume(fileSystemId) {
      for (const each of core.find(fileSystemId)?.associations ?? []) {
        if (each.lifecycle === 'UPDATING') update(each.associationId);
        if (each.lifecycle === 'MISCONFIGURED') set(each.associationId, { lifecycle: 'AVAILABLE' });
        if (each.lifecycle === 'AVAILABLE') changed(each);
      }
    },
    misconfigure,
    shown,
  };
}

/** What FSx says of an association that it does not know. */
export function notFound(associationId: string): FsxError {
  const message = `No data repository association ${associationId}`;
  return new FsxError('DataRepositoryAssociationNotFound', message);
}

function shown(each: LocalAssociation): FsxAssociation {
  return {
    AssociationId: each.associationId,
    FileSystemId: each.fileSystemId,
    FileSystemPath: each.path,
    DataRepositoryPath: each.repositoryPath,
    Lifecycle: each.lifecycle,
    ...(each.failure !== undefined && { FailureDetails: { Message: each.failure } }),
    S3: { AutoExportPolicy: { Events: each.exportEvents } },
    Tags: each.request.Tags,
  };
}
