import { expect, test } from "@playwright/test";
import { open, picture } from "./pages";

test("a model: both sides, and what a node became", async ({ page }) => {
  const complaints = await open(page, "digits");
  await expect(page.locator("#name")).toHaveText("digits_cnn-symbol.json");
  await expect(page.locator("#about")).toContainText("6,266");
  await page.locator("#mxnet .box", { hasText: "BatchNorm" }).first().click();
  await expect(page.locator("#about h2")).toHaveText("BatchNorm");
  await expect(page.locator("#about")).toContainText("fold_batch_norm removed");
  await expect(page.locator("#onnx .twin")).toHaveCount(1);
  await expect(page.locator("#onnx .twin")).toContainText("Conv");
  await picture(page, "digits");
  await page.locator("#about .links button", { hasText: "Conv " }).first().click();
  await expect(page.locator("#about h2")).toHaveText("Conv");
  await expect(page.locator("#mxnet .twin")).toHaveCount(2);
  await expect(page.locator(".histogram").first()).toBeVisible();
  expect(complaints).toEqual([]);
});

test("search, keyboard, and back to the model", async ({ page }) => {
  await open(page, "digits");
  await page.keyboard.press("/");
  await page.keyboard.type("dense0");
  await page.keyboard.press("Enter");
  await expect(page.locator("#about h2")).toHaveText("FullyConnected");
  await page.keyboard.press("Escape");
  await page.locator("#mxnet svg").focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.locator("#about h2")).toHaveText("softmax");
  await page.keyboard.press("ArrowUp");
  await expect(page.locator("#about h2")).toHaveText("FullyConnected");
  await expect(page.locator("#said")).toContainText("FullyConnected");
  await page.keyboard.press("Escape");
  await expect(page.locator("#about h2")).toHaveText("digits_cnn-symbol.json");
});

test("blocks open and close", async ({ page }) => {
  await open(page, "large");
  const id = await page.locator("#mxnet .box.group:not(.open)").first().getAttribute("data-id");
  const block = page.locator(`#mxnet [data-id=${id}]`);
  await picture(page, "large");
  await block.locator("text.title").click();
  await expect(block).toHaveClass(/open/);
  await expect(page.locator("#about button", { hasText: "Close" })).toBeVisible();
  await page.locator("#mxnet svg").focus();
  await page.keyboard.press("Enter");
  await expect(block).not.toHaveClass(/open/);
});

test("a net of Gluon 2, whose nodes have numbers for names, has its blocks", async ({ page }) => {
  const complaints = await open(page, "resnet");
  await expect(page.locator("#about")).toContainText("1,814,073,344"); // multiply-adds
  const stage = page.locator("#mxnet .box.group", { hasText: "features" }).first();
  await expect(stage).toBeVisible();
  await page.locator("#mxnet .box.weighted").first().click();
  await expect(page.locator("#onnx .twin")).toHaveCount(1);
  await picture(page, "resnet");
  expect(complaints).toEqual([]);
});

test("what does not convert is red", async ({ page }) => {
  await open(page, "refused");
  await expect(page.locator("#mxnet .box.bad").last()).toContainText("NoSuchOp");
  await page.locator("#about .links button").first().click();
  await expect(page.locator("#about ul.bad")).toContainText("this operator is not known");
  await expect(page.locator("#onnx")).toHaveCount(0);
  await picture(page, "refused");
});

test("names are shown and never run", async ({ page }) => {
  const complaints = await open(page, "hostile");
  await page.locator("#mxnet .box").nth(1).click();
  await expect(page.locator("#about .name")).toHaveText("</script><script>window.hurt = 1</script>");
  await page.locator("#mxnet .box", { hasText: "constructor" }).click();
  await expect(page.locator("#about .name")).toHaveText("__proto__");
  await page.locator("#search").fill("img");
  await expect(page.locator(".found li").first()).toContainText("<img src=x");
  expect(await page.evaluate(() => "hurt" in window)).toBe(false);
  expect(complaints).toEqual([]);
});

test("an ONNX file", async ({ page }) => {
  const complaints = await open(page, "onnx");
  await expect(page.locator("#mxnet")).toHaveCount(0);
  await page.locator("#onnx .box.weighted").first().click();
  await expect(page.locator("#about h2")).toHaveText("Conv");
  await expect(page.locator("#about")).toContainText("kernel_shape");
  expect(complaints).toEqual([]);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, colorScheme: "dark" });
  test("there is one side, and nothing is wider than the screen", async ({ page }) => {
    await open(page, "digits");
    await expect(page.locator("#onnx")).toBeHidden();
    await page.locator("#mxnet .box.weighted").first().tap();
    await expect(page.locator("#about h2")).toHaveText("Convolution");
    await picture(page, "phone");
    await page.locator("[data-shown=onnx]").tap();
    await expect(page.locator("#mxnet")).toBeHidden();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide).toBe(false);
  });
});

test.describe("in the dark", () => {
  test.use({ colorScheme: "dark" });
  test("the page is dark", async ({ page }) => {
    await open(page, "digits");
    const colour = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(colour).toBe("rgb(20, 24, 31)");
    await page.locator("#mxnet .box.norm").first().click();
    await picture(page, "dark");
  });
});

test("it prints the whole graph", async ({ page }) => {
  await open(page, "digits");
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  const [width, height] = await page.locator("#mxnet svg").evaluate((svg) => {
    const layer = svg.querySelector("g")!.getBoundingClientRect();
    const paper = svg.getBoundingClientRect();
    return [layer.width <= paper.width + 1, layer.height <= paper.height + 1];
  });
  expect([width, height]).toEqual([true, true]);
  await expect(page.locator("#mxnet .box")).toHaveCount(14);
  await expect(page.locator("header input")).toBeHidden();
});
