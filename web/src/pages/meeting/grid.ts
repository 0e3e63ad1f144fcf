// Where tiles go. No pixels are guessed by the style sheet: the largest equal 16:9 tiles are computed.

export interface Grid {
  columns: number;
  rows: number;
  /** Size of one tile in px, whole numbers. */
  width: number;
  height: number;
}

const ratio = 16 / 9;

/** bestGrid finds the number of columns with which n equal 16:9 tiles become largest in an area. */
export function bestGrid(n: number, areaWidth: number, areaHeight: number, gap: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, n), width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, n); columns++) {
    const rows = Math.max(1, Math.ceil(n / columns));
    const width = Math.min((areaWidth - gap * (columns - 1)) / columns, ((areaHeight - gap * (rows - 1)) / rows) * ratio);
    if (width > best.width) best = { columns, rows, width: Math.floor(width), height: Math.floor(width / ratio) };
  }
  return best;
}

/** How many tiles one page of the grid holds before faces become too small. */
export function tilesPerPage(areaWidth: number): number {
  if (areaWidth < 520) return 6;
  return areaWidth < 960 ? 12 : 25;
}

/**
 * inView orders people for pages of the given size: everybody keeps their place, except that somebody who
 * spoke lately and would be on a later page changes places with a silent one of the first page.
 */
export function inView(order: readonly string[], spokeLately: readonly string[], size: number): string[] {
  const result = [...order];
  if (result.length <= size) return result;
  const speakers = spokeLately.filter((id) => result.includes(id)).slice(0, size);
  for (const speaker of speakers) {
    const from = result.indexOf(speaker);
    if (from < size) continue;
    for (let to = size - 1; to >= 0; to--) {
      if (speakers.includes(result[to]!)) continue;
      [result[to], result[from]] = [result[from]!, result[to]!];
      break;
    }
  }
  return result;
}
