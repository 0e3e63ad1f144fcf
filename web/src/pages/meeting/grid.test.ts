import { describe, expect, test } from 'vitest';
import { bestGrid, inView, tilesPerPage } from './grid.ts';

describe('the grid', () => {
  test.each([
    [1, 1280, 660, 1, 1],
    [2, 1280, 660, 2, 1],
    [3, 1280, 660, 2, 2],
    [4, 1280, 660, 2, 2],
    [5, 1280, 660, 3, 2],
    [9, 1280, 660, 3, 3],
    [2, 380, 680, 1, 2],
    [3, 380, 680, 1, 3],
    [6, 380, 560, 2, 3],
  ])('%d people in %dx%d stand in %d columns and %d rows', (n, w, h, columns, rows) => {
    expect(bestGrid(n, w, h, 10)).toMatchObject({ columns, rows });
  });

  test('never leaves its area and wastes no better arrangement', () => {
    for (let n = 1; n <= 30; n++) {
      for (const [w, h] of [
        [1280, 660],
        [1920, 900],
        [390, 700],
        [900, 300],
        [300, 900],
      ] as const) {
        const g = bestGrid(n, w, h, 10);
        expect(g.columns * g.rows).toBeGreaterThanOrEqual(n);
        expect(g.columns * g.width + (g.columns - 1) * 10).toBeLessThanOrEqual(w);
        expect(g.rows * g.height + (g.rows - 1) * 10).toBeLessThanOrEqual(h);
        for (let columns = 1; columns <= n; columns++) {
          const rows = Math.ceil(n / columns);
          const width = Math.min((w - 10 * (columns - 1)) / columns, ((h - 10 * (rows - 1)) / rows) * (16 / 9));
          expect(g.width).toBeGreaterThanOrEqual(Math.floor(width));
        }
      }
    }
  });

  test('an area that is not known yet has no tiles', () => {
    expect(bestGrid(3, 0, 0, 10)).toMatchObject({ width: 0, height: 0 });
  });

  test('small screens show fewer people at once', () => {
    expect(tilesPerPage(380)).toBeLessThan(tilesPerPage(800));
    expect(tilesPerPage(800)).toBeLessThan(tilesPerPage(1280));
  });
});

describe('who is on the first page', () => {
  const order = ['a', 'b', 'c', 'd', 'e', 'f'];

  test('everybody keeps their place while all fit', () => {
    expect(inView(order, ['f', 'e'], 6)).toEqual(order);
  });

  test('a speaker from a later page changes places with a silent one', () => {
    expect(inView(order, ['e'], 3)).toEqual(['a', 'b', 'e', 'd', 'c', 'f']);
  });

  test('a speaker who is already there does not move anybody', () => {
    expect(inView(order, ['b'], 3)).toEqual(order);
  });

  test('no speaker pushes another speaker out', () => {
    expect(inView(order, ['e', 'c'], 3)).toEqual(['a', 'e', 'c', 'd', 'b', 'f']);
  });

  test('nobody is lost or doubled, whoever speaks', () => {
    for (const spoke of [[], ['f'], ['f', 'e', 'd', 'c', 'b', 'a'], ['gone', 'f']]) {
      expect(inView(order, spoke, 2).sort()).toEqual(order);
    }
  });
});
