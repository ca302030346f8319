// What the tests of the browser have in common.
import { expect, type Page } from "@playwright/test";

export const FOLDER = new URL("../test-results/pages/", import.meta.url);
export const PICTURES = new URL("../test-results/pictures/", import.meta.url);

/** Opens a page, and holds against it whatever it asks of the network or complains of. */
export async function open(page: Page, name: string): Promise<string[]> {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith("file:") && !address.startsWith("data:")) complaints.push(address);
    if (address.startsWith("file:") && !address.endsWith(`/${name}.html`)) complaints.push(address);
  });
  await page.goto(new URL(`${name}.html`, FOLDER).href);
  await expect(page.locator(".box").first()).toBeVisible();
  return complaints;
}

export async function picture(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(150);
  await page.screenshot({ path: new URL(`${name}.png`, PICTURES).pathname });
}
