/** A picture of the loudness of the whole Space. It marks the reports and the moment that is heard; a click jumps to a
 *  moment. Events connect it with desk.js. */
const canvas = document.querySelector("[data-wave]");
if (canvas) draw(canvas);

async function draw(canvas) {
  const answer = await fetch(canvas.dataset.wave);
  if (!answer.ok) {
    canvas.hidden = true;
    return;
  }
  const { data } = await answer.json();
  const picture = { canvas, peaks: data, length: Number(canvas.dataset.length), heard: 0 };
  const marks = [...document.querySelectorAll("[data-jump]")].map((button) => Number(button.dataset.jump));
  const again = () => paint(picture, marks);
  new ResizeObserver(again).observe(canvas);
  document.addEventListener("desk:heard", ({ detail }) => { picture.heard = detail; again(); });
  canvas.addEventListener("click", (event) => {
    const detail = picture.length * event.offsetX / canvas.clientWidth;
    document.dispatchEvent(new CustomEvent("desk:wanted", { detail }));
  });
}

function paint({ canvas, peaks, length, heard }, marks) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * scale;
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  const colour = (name) => getComputedStyle(canvas).getPropertyValue(name);
  context.clearRect(0, 0, width, height);
  context.fillStyle = colour("--muted");
  const count = peaks.length / 2;
  for (let x = 0; x < width; x += 1) {
    const place = Math.floor(x / width * count) * 2;
    const loud = Math.max(-peaks[place], peaks[place + 1]) / 128;
    context.fillRect(x, height / 2 * (1 - loud), 1, Math.max(1, height * loud));
  }
  const line = (moment, name, thick) => {
    context.fillStyle = colour(name);
    context.fillRect(Math.min(moment / length, 1) * (width - thick), 0, thick, height);
  };
  for (const mark of marks) line(mark, "--danger", 2 * scale);
  line(heard, "--ink", scale);
}
