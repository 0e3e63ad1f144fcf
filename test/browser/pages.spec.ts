import { expect, test, type Page } from '@playwright/test';
import { picture, windowOf, world } from './world';

// Pages complain in the console when something is wrong with them.
function watchful(page: Page) {
  const complaints: string[] = [];
  page.on('console', (m) => m.type() === 'error' && !/status of 4\d\d/.test(m.text()) && complaints.push(m.text()));
  page.on('pageerror', (e) => complaints.push(String(e)));
  return complaints;
}

test('a newcomer logs in, makes an app and a meeting', async ({ browser }) => {
  const stranger = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await stranger.goto('/');
  await expect(stranger).toHaveURL(/\/login/);
  await picture(stranger, 'login');
  await stranger.getByTestId('login-email').fill(world.admin.email);
  await stranger.getByTestId('login-password').fill('not the password');
  await stranger.getByTestId('login-submit').click();
  await expect(stranger.getByTestId('login-error')).toBeVisible();

  const page = await windowOf(browser, world.admin);
  const complaints = watchful(page);
  await page.goto('/admin/apps');
  await expect(page.getByTestId('apps')).toBeVisible();
  await picture(page, 'apps');
  await page.goto('/admin/users');
  await expect(page.getByTestId('users')).toContainText(world.people[0].name);
  await picture(page, 'users');

  await page.goto('/');
  await page.getByTestId('new-meeting').first().click();
  await page.getByTestId('new-topic').fill('Budget 预算');
  await page.getByTestId('new-submit').click();
  await expect(page.getByTestId('new-link')).toHaveValue(/\/j\/\d{9}$/);
  await picture(page, 'new-meeting');
  await page.goto('/');
  await expect(page.getByTestId('meeting').first()).toContainText('Budget 预算');
  await picture(page, 'home');
  expect(complaints).toEqual([]);
});

test('the same in Chinese, on a telephone, in the dark', async ({ browser }) => {
  const page = await windowOf(browser, world.people[0], undefined, { locale: 'zh-CN', viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  await page.goto('/');
  await expect(page.locator('html')).toHaveAttribute('lang', /zh/);
  await expect(page.getByTestId('new-meeting').first()).toContainText('会议');
  await picture(page, 'home-zh-mobile');
  await page.goto(`/j/${world.meetingNo}`);
  await expect(page.getByTestId('join')).toBeVisible();
  await picture(page, 'lobby-zh-mobile');
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(tooWide).toBeLessThanOrEqual(0);
});

test('a guest with a name gets in where the reserve allows it', async ({ browser }) => {
  const page = await (await browser.newContext({ permissions: ['camera', 'microphone'] })).newPage();
  await page.goto(`/j/${world.meetingNo}`);
  await page.getByTestId('join-name').fill('Guest 客人');
  await page.getByTestId('join').click();
  await expect(page.getByTestId('room')).toHaveAttribute('data-connection', 'connected');
  await expect(page.getByTestId('record')).toHaveCount(0);
});

test('what is not there says so', async ({ browser }) => {
  const page = await windowOf(browser, world.people[0]);
  await page.goto('/j/999999999');
  await expect(page.getByTestId('no-such-meeting').or(page.getByTestId('meeting-expired'))).toBeVisible();
  await page.goto('/minutes/obcn00000000000000000000');
  await expect(page.getByTestId('minute-missing')).toBeVisible();
  const response = await page.goto('/nowhere');
  expect(response?.status()).toBe(404);
});
