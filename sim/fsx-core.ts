import type {
  CreateAssociationInput,
  CreateFileSystemInput,
  FsxEvent,
  FsxTag,
} from '../handlers/aws/fsx-api';
import type { Timeline } from './clock';
import { FsxError } from './fsx-rules';
import type { Random } from './random';
import type { Tie, Trees } from './trees';

/** A file system as the local FSx has it: plain JSON, enough to go on in a later process. */
export interface LocalFileSystem {
  readonly fileSystemId: string;
  readonly mountName: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly lifecycle: 'CREATING' | 'AVAILABLE' | 'DELETING' | 'FAILED';
  readonly failure?: string;
  /** What it was asked to be. */
  readonly request: CreateFileSystemInput;
  readonly tags: readonly FsxTag[];
  readonly associations: readonly LocalAssociation[];
}

/** An association, in the order in which they were asked for. */
export interface LocalAssociation extends Tie {
  readonly associationId: string;
  readonly lifecycle: 'CREATING' | 'AVAILABLE' | 'MISCONFIGURED' | 'UPDATING' | 'FAILED';
  readonly failure?: string;
  readonly request: CreateAssociationInput;
  readonly exportEvents: readonly FsxEvent[];
  /** What an update under way makes of them. */
  readonly nextEvents?: readonly FsxEvent[];
  /** The import at its creation has not been done. */
  readonly owesImport: boolean;
}

/** What a test or a simulation makes of what FSx was asked for. */
export interface Fates {
  fileSystem?(
    request: CreateFileSystemInput,
  ): { readonly kind: 'fails'; readonly message: string } | { readonly kind: 'never' } | undefined;
  association?(
    request: CreateAssociationInput,
  ):
    | { readonly kind: 'fails'; readonly message: string }
    | { readonly kind: 'misconfigured'; readonly message: string; readonly healsAfterMs: number }
    | undefined;
  task?(task: {
    readonly type: string;
    readonly fileSystemId: string;
  }):
    | { readonly kind: 'fails'; readonly message: string }
    | { readonly kind: 'sticks'; readonly in: 'PENDING' | 'EXECUTING' | 'CANCELING' }
    | undefined;
  /** The error code with which a file cannot be brought to S3. */
  file?(fileSystemId: string, path: string): string | undefined;
}

/** Remembers file systems beyond the process. */
export interface FileSystemNotes {
  save(fileSystem: LocalFileSystem): void;
  remove(fileSystemId: string): void;
}

/** What the local FSx is made of. */
export interface FsxParts {
  readonly clock: Timeline;
  readonly random: Random;
  readonly trees: Trees;
  readonly account: string;
  readonly region: string;
  readonly notes?: FileSystemNotes;
  /** What is there already. */
  readonly existing?: readonly LocalFileSystem[];
  /** Answers in AWS's place, with an error of that name. A creation that was made is shown all the same. */
  readonly refuse?: (
    operation: string,
    request: object,
  ) => { readonly name: string; readonly message: string } | undefined;
  readonly fate?: Fates;
  /** Of the account: FSx's own unless given. */
  readonly quota?: { readonly fileSystems: number; readonly gib: number };
  /** Things on a page of an answer. */
  readonly pageSize?: number;
  /** Whether a file system may be deleted while it is being created; nobody says so. */
  readonly deletesWhileCreating?: boolean;
  /** How often to look for changed files where the trees do not tell; cloud time. */
  readonly lookEveryMs?: number;
}

/** A span of cloud time, of which chance takes one moment. */
export interface Span {
  readonly min: number;
  readonly max: number;
}

/** The file systems, and what changes them: the parts of the twin share this. */
export interface FsxCore {
  readonly parts: FsxParts;
  all(): readonly LocalFileSystem[];
  find(fileSystemId: string): LocalFileSystem | undefined;
  /** The same, refused in FSx's words where there is none. */
  get(fileSystemId: string): LocalFileSystem;
  put(fileSystem: LocalFileSystem): void;
  change(fileSystemId: string, changes: Partial<LocalFileSystem>): void;
  /** Undefined where FSx does not know it any more. */
  association(associationId: string): LocalAssociation | undefined;
  changeAssociation(associationId: string, changes: Partial<LocalAssociation>): void;
  forget(fileSystemId: string): void;
  later(span: Span, run: () => void): void;
}

/** File systems of a process, noted beyond it. */
export function coreOf(parts: FsxParts): FsxCore {
  const { clock, random, notes, trees, existing = [] } = parts;
  const fileSystems = new Map(existing.map((each) => [each.fileSystemId, each]));
  const find = (id: string) => fileSystems.get(id);

  function put(fileSystem: LocalFileSystem): void {
    fileSystems.set(fileSystem.fileSystemId, fileSystem);
    notes?.save(fileSystem);
  }

  function change(id: string, changes: Partial<LocalFileSystem>): void {
    const before = find(id);
    if (before) put({ ...before, ...changes });
  }

  const association = (id: string) =>
    [...fileSystems.values()]
      .flatMap(({ associations }) => associations)
      .find(({ associationId }) => associationId === id);

  return {
    parts,
    all: () => [...fileSystems.values()],
    find,
    get(id) {
      const found = find(id);
      if (found) return found;
      throw new FsxError('FileSystemNotFound', `File system '${id}' does not exist.`);
    },
    put,
    change,
    association,
    changeAssociation(id, changes) {
      const fileSystem = find(association(id)?.fileSystemId ?? '');
      const associations = fileSystem?.associations.map((each) =>
        each.associationId === id ? { ...each, ...changes } : each,
      );
      if (fileSystem) change(fileSystem.fileSystemId, { associations });
    },
    forget(id) {
      if (!fileSystems.delete(id)) return;
      notes?.remove(id);
      // What a job still writes to may not go; nobody shows it any more.
      trees.drop(id).catch(() => undefined);
    },
    later: ({ min, max }, run) => void clock.at(clock.now() + random.between(min, max), run),
  };
}

/** Whether two requests ask for the same, but for their tokens. */
export function isSame(one: object, other: object): boolean {
  return canonical(one) === canonical(other);
}

function canonical(request: object): string {
  return JSON.stringify(request, (_key, value) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** What a token stands for already. Refused as FSx does when it stood for something else. */
export function knownBy<
  Thing extends { readonly request: { readonly ClientRequestToken?: string } },
>(things: readonly Thing[], request: { readonly ClientRequestToken?: string }): Thing | undefined {
  const token = request.ClientRequestToken;
  const known = things.find((each) => token && each.request.ClientRequestToken === token);
  if (!known || isSame(known.request, request)) return known;
  const message = `The client request token ${token} was used with other parameters`;
  throw new FsxError('IncompatibleParameterError', message);
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
