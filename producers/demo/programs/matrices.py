"""Matrices and grids as lists of lists."""

Matrix = list[list[float]]


def identity(n: int) -> Matrix:
    return [[1.0 if i == j else 0.0 for j in range(n)] for i in range(n)]


def transpose(m: Matrix) -> Matrix:
    return [list(row) for row in zip(*m)]


def multiply(a: Matrix, b: Matrix) -> Matrix:
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def determinant(m: Matrix) -> float:
    if len(m) == 1:
        return m[0][0]
    total = 0.0
    for column in range(len(m)):
        minor = [row[:column] + row[column + 1 :] for row in m[1:]]
        total += (-1) ** column * m[0][column] * determinant(minor)
    return total


def neighbours(grid: list[list[int]], row: int, column: int) -> int:
    total = 0
    for dr in (-1, 0, 1):
        for dc in (-1, 0, 1):
            r, c = row + dr, column + dc
            if (dr, dc) != (0, 0) and 0 <= r < len(grid) and 0 <= c < len(grid[0]):
                total += grid[r][c]
    return total


def life(grid: list[list[int]]) -> list[list[int]]:
    return [
        [
            1 if neighbours(grid, r, c) == 3 or (cell and neighbours(grid, r, c) == 2) else 0
            for c, cell in enumerate(row)
        ]
        for r, row in enumerate(grid)
    ]


def rotate(grid):
    return [list(row)[::-1] for row in zip(*grid)]


def spiral(grid: list[list[int]]) -> list[int]:
    out = []
    while grid:
        out += grid.pop(0)
        grid = [list(row) for row in zip(*grid)][::-1]
    return out


def flood_fill(grid: list[list[int]], start: tuple[int, int], colour: int) -> int:
    target = grid[start[0]][start[1]]
    stack, filled = [start], 0
    while stack:
        r, c = stack.pop()
        if not (0 <= r < len(grid) and 0 <= c < len(grid[0])) or grid[r][c] != target or target == colour:
            continue
        grid[r][c] = colour
        filled += 1
        stack.extend([(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)])
    return filled


def render(grid: list[list[bool]]) -> str:
    return "\n".join("".join("#" if cell else "." for cell in row) for row in grid)


def saddle_points(m: list[list[int]]) -> set[tuple[int, int]]:
    rows = {(r, c) for r, row in enumerate(m) for c, v in enumerate(row) if v == max(row)}
    columns = {(r, c) for c, column in enumerate(zip(*m)) for r, v in enumerate(column) if v == min(column)}
    return rows & columns


class Vector:
    def __init__(self, x: float, y: float) -> None:
        self.x = x
        self.y = y

    def __add__(self, other: "Vector") -> "Vector":
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, factor: float) -> "Vector":
        return Vector(self.x * factor, self.y * factor)

    def __neg__(self) -> "Vector":
        return self * -1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector) and (self.x, self.y) == (other.x, other.y)

    def __abs__(self) -> float:
        return (self.x**2 + self.y**2) ** 0.5


def centroid(points: list[Vector]) -> Vector:
    total = Vector(0, 0)
    for point in points:
        total = total + point
    return total * (1 / len(points))


def path(points: list[Vector]) -> float:
    return sum(abs(b + -a) for a, b in zip(points, points[1:]))
