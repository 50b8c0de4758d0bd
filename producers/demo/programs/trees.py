"""Linked structures: lists, trees, graphs, heaps, tries."""

import heapq
from collections import deque
from typing import Optional


class Node:
    def __init__(self, value: int, next: Optional["Node"] = None) -> None:
        self.value = value
        self.next = next


class LinkedList:
    def __init__(self) -> None:
        self.head: Node | None = None
        self.size = 0

    def push(self, value: int) -> None:
        self.head = Node(value, self.head)
        self.size += 1

    def pop(self) -> int:
        if self.head is None:
            raise IndexError("empty")
        node = self.head
        self.head = node.next
        self.size -= 1
        return node.value

    def reverse(self) -> None:
        previous, current = None, self.head
        while current:
            current.next, previous, current = previous, current, current.next
        self.head = previous

    def to_list(self) -> list[int]:
        out, node = [], self.head
        while node is not None:
            out.append(node.value)
            node = node.next
        return out


class Tree:
    def __init__(self, key: int) -> None:
        self.key = key
        self.left: Tree | None = None
        self.right: Tree | None = None

    def insert(self, key: int) -> None:
        if key < self.key:
            if self.left is None:
                self.left = Tree(key)
            else:
                self.left.insert(key)
        elif self.right is None:
            self.right = Tree(key)
        else:
            self.right.insert(key)

    def height(self) -> int:
        left = self.left.height() if self.left else 0
        right = self.right.height() if self.right else 0
        return 1 + max(left, right)


def in_order(tree: Tree | None) -> list[int]:
    if tree is None:
        return []
    return in_order(tree.left) + [tree.key] + in_order(tree.right)


class Trie:
    def __init__(self) -> None:
        self.children: dict[str, Trie] = {}
        self.end = False

    def insert(self, word: str) -> None:
        node = self
        for c in word:
            node = node.children.setdefault(c, Trie())
        node.end = True

    def find(self, word: str) -> bool:
        node = self
        for c in word:
            if c not in node.children:
                return False
            node = node.children[c]
        return node.end


def breadth_first(graph: dict[str, list[str]], start: str, goal: str) -> list[str]:
    queue = deque([[start]])
    seen = {start}
    while queue:
        path = queue.popleft()
        if path[-1] == goal:
            return path
        for neighbour in graph.get(path[-1], []):
            if neighbour not in seen:
                seen.add(neighbour)
                queue.append(path + [neighbour])
    return []


def dijkstra(graph: dict[str, dict[str, int]], start: str) -> dict[str, int]:
    distances = {start: 0}
    heap = [(0, start)]
    while heap:
        distance, node = heapq.heappop(heap)
        if distance > distances.get(node, distance):
            continue
        for neighbour, weight in graph[node].items():
            candidate = distance + weight
            if candidate < distances.get(neighbour, float("inf")):
                distances[neighbour] = candidate
                heapq.heappush(heap, (candidate, neighbour))
    return distances


def topological(edges: list[tuple[str, str]]) -> list[str]:
    incoming: dict[str, int] = {}
    outgoing: dict[str, list[str]] = {}
    for a, b in edges:
        incoming[b] = incoming.get(b, 0) + 1
        incoming.setdefault(a, 0)
        outgoing.setdefault(a, []).append(b)
    ready = sorted(node for node, count in incoming.items() if count == 0)
    order = []
    while ready:
        node = ready.pop(0)
        order.append(node)
        for following in outgoing.get(node, []):
            incoming[following] -= 1
            if not incoming[following]:
                ready.append(following)
    return order


def depth_first(graph, node, seen=None):
    seen = seen or set()
    seen.add(node)
    for neighbour in graph[node]:
        if neighbour not in seen:
            depth_first(graph, neighbour, seen)
    return seen


class UnionFind:
    def __init__(self, n: int) -> None:
        self.parent = list(range(n))
        self.rank = [0] * n

    def find(self, x: int) -> int:
        while self.parent[x] != x:
            self.parent[x] = self.parent[self.parent[x]]
            x = self.parent[x]
        return x

    def union(self, a: int, b: int) -> bool:
        a, b = self.find(a), self.find(b)
        if a == b:
            return False
        if self.rank[a] < self.rank[b]:
            a, b = b, a
        self.parent[b] = a
        self.rank[a] += self.rank[a] == self.rank[b]
        return True


def components(n: int, edges: list[tuple[int, int]]) -> int:
    forest = UnionFind(n)
    return n - sum(forest.union(a, b) for a, b in edges)


def k_smallest(values: list[int], k: int) -> list[int]:
    return heapq.nsmallest(k, values)


def merge_sorted(a: list[int], b: list[int]) -> list[int]:
    i = j = 0
    out = []
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            out.append(a[i])
            i += 1
        else:
            out.append(b[j])
            j += 1
    return out + a[i:] + b[j:]
