import { expect, test } from '@playwright/test';
import { picture, windowOf, world } from './world';

test('the owner watches, seeks and downloads; others are refused', async ({ browser }) => {
  const [owner, other] = world.people;
  const page = await windowOf(browser, owner);
  await page.goto(`/minutes/${world.minute}`);
  const video = page.getByTestId('minute-video');
  await expect(video).toBeVisible();
  await expect(page.getByTestId('minute')).toContainText('Weekly planning 周会');
  await expect(page.getByTestId('minute')).toContainText(other.name);
  await video.evaluate((v: HTMLVideoElement) => {
    v.muted = true;
    return v.play();
  });
  await expect.poll(() => video.evaluate((v: HTMLVideoElement) => v.currentTime)).toBeGreaterThan(0.5);
  const length = await video.evaluate((v: HTMLVideoElement) => v.duration);
  await video.evaluate((v: HTMLVideoElement) => { v.currentTime = v.duration - 4; });
  await expect.poll(() => video.evaluate((v: HTMLVideoElement) => (v.seeking ? 0 : v.currentTime))).toBeGreaterThan(length - 4.1);
  await picture(page, 'minute');
  const download = page.waitForEvent('download');
  await page.getByTestId('minute-download').click();
  expect((await download).suggestedFilename()).toMatch(/\.mp4$/);

  const refused = await windowOf(browser, other);
  await refused.goto(`/minutes/${world.minute}`);
  await expect(refused.getByTestId('minute-forbidden')).toBeVisible();
  await expect(refused.locator('body')).not.toContainText('Weekly planning');
  await expect(refused.locator('video')).toHaveCount(0);

  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(`/minutes/${world.minute}`);
  await expect(stranger).toHaveURL(/\/login/);
});
