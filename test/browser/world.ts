import { writeFileSync } from 'node:fs';
import { expect, type Browser, type Page } from '@playwright/test';
import { becomePerson, type Who } from './person';

interface Account {
  name: string;
  email: string;
  password: string;
}

// What the Go test prepared, and where it wants to be told what happened.
export interface World {
  base: string;
  admin: Account;
  people: Account[];
  minute?: string; // token, once there is one
  meetingNo: string; // reserved through the API, owned by the first person
  facts: string; // file to write what happened into
  pictures: string; // folder for screenshots
}

export const world: World = JSON.parse(process.env.HUILU_TEST!);

export const colours = ['#1f6f8b', '#8b4a1f', '#3d7a35'];

// A window of a person who has logged in. Each has a browser context, and so cookies, of its own.
export async function windowOf(browser: Browser, account: Account, who?: Who, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ['camera', 'microphone'], ...options });
  const page = await context.newPage();

  if (who) await page.addInitScript(becomePerson, who);
  await page.goto('/login');
  await page.getByTestId('login-email').fill(account.email);
  await page.getByTestId('login-password').fill(account.password);
  await page.getByTestId('login-submit').click();
  await expect(page).not.toHaveURL(/\/login/);
  return page;
}

export async function picture(page: Page, name: string) {
  await page.screenshot({ path: `${world.pictures}/${name}.png`, animations: 'disabled' });
}

export function note(facts: Record<string, unknown>) {
  writeFileSync(world.facts, JSON.stringify(facts));
}
