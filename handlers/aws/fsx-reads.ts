import type { FsxApi, FsxAssociation, FsxFileSystem, FsxTask } from './fsx-api';
import { isNamed } from './fsx-errors';

/** A file system as it is shown, with its id: FSx never shows one without. */
export type Shown = FsxFileSystem & { readonly FileSystemId: string };

/** What FSx shows, all pages of it. What it does not know is left out, and spoils nothing. */
export interface FsxReads {
  fileSystems(ids: readonly string[]): Promise<readonly Shown[]>;
  /** Every file system of the account in this Region. */
  everyFileSystem(): Promise<readonly Shown[]>;
  associations(fileSystemIds: readonly string[]): Promise<readonly FsxAssociation[]>;
  /** Running, waiting and over. */
  tasks(fileSystemIds: readonly string[]): Promise<readonly FsxTask[]>;
}

/** A task of these holds its file system: none beside it, and no deletion. */
export function isUnderWay({ Lifecycle }: FsxTask): boolean {
  return ['PENDING', 'EXECUTING', 'CANCELING'].includes(Lifecycle ?? '');
}

/** The API takes no more ids in a call, and no more values in a filter. */
const IDS_MAX = 50;
const VALUES_MAX = 20;
/** 25 things or more on a page: an answer that goes on beyond this goes round in circles. */
const PAGES_MAX = 1000;

/** The reads that the adapter is made of. */
export function readsOf(fsx: FsxApi): FsxReads {
  const fileSystems = (FileSystemIds: string[] | undefined) =>
    everyPage(async (NextToken) => {
      const page = await fsx.describeFileSystems({ FileSystemIds, NextToken });
      return { items: (page.FileSystems ?? []).filter(hasId), next: page.NextToken };
    });
  const associations = (ids: string[]) =>
    everyPage(async (NextToken) => {
      const Filters = [{ Name: 'file-system-id' as const, Values: ids }];
      const page = await fsx.describeDataRepositoryAssociations({ Filters, NextToken });
      return { items: page.Associations ?? [], next: page.NextToken };
    });
  const tasks = (ids: string[]) =>
    everyPage(async (NextToken) => {
      const Filters = [{ Name: 'file-system-id' as const, Values: ids }];
      const page = await fsx.describeDataRepositoryTasks({ Filters, NextToken });
      return { items: page.DataRepositoryTasks ?? [], next: page.NextToken };
    });
  return {
    fileSystems: (ids) => inParts(ids, IDS_MAX, fileSystems),
    everyFileSystem: () => fileSystems(undefined),
    associations: (ids) => inParts(ids, VALUES_MAX, associations),
    tasks: (ids) => inParts(ids, VALUES_MAX, tasks),
  };
}

async function everyPage<Item>(
  read: (token?: string) => Promise<{ readonly items: readonly Item[]; readonly next?: string }>,
): Promise<readonly Item[]> {
  const all: Item[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const { items, next } = await read(token);
    all.push(...items);
    if (!next) return all;
    token = next;
  }
  throw new Error(
    `FSx shows more than ${PAGES_MAX} pages of one answer; look for a loop in its tokens`,
  );
}

async function inParts<Item>(
  ids: readonly string[],
  size: number,
  read: (ids: string[]) => Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  const all: Item[] = [];
  const distinct = [...new Set(ids)];
  for (let start = 0; start < distinct.length; start += size) {
    all.push(...(await theKnown(distinct.slice(start, start + size), read)));
  }
  return all;
}

/** FSx denies a whole call for one unknown id: each half is asked for by itself, down to single ids. */
async function theKnown<Item>(
  ids: string[],
  read: (ids: string[]) => Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  try {
    return await read(ids);
  } catch (error) {
    if (!isNamed(error, 'FileSystemNotFound')) throw error;
    if (ids.length <= 1) return [];
    const middle = Math.ceil(ids.length / 2);
    const first = await theKnown(ids.slice(0, middle), read);
    return [...first, ...(await theKnown(ids.slice(middle), read))];
  }
}

function hasId(fileSystem: FsxFileSystem): fileSystem is Shown {
  return fileSystem.FileSystemId !== undefined;
}
